"""Runs Lightning's own tests with the two callbacks in every Trainer, and with two empty ones.

What fails with the first alone is a training that the callbacks harm, or a test that counts what a
trainer does (files in a folder, calls of a logger: it passes where ours log nothing). Needs a
checkout of Lightning's repository at the tag that is installed; nothing of it is copied here. All
tests run with ours; only the files in which one failed run with others.

    python benchmarks/lightning_tests.py CHECKOUT [--only loops --only tuner ...] [-k EXPRESSION]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.tables import print_table

TEST_LIMIT_S = 600
FOLDERS = ("callbacks", "loops", "profilers", "trainer/logging_", "tuner")
OLDER_CHECKOUTS = ("--continue-on-collection-errors", "--override-ini=filterwarnings=")
"""Theirs make errors of what a newer torch deprecates, which ends whole folders."""
LOGS_NOTHING = "where ours log nothing"
PLUGIN = """
import functools
import os
import tempfile

from lightning.pytorch import Callback, Trainer


class FirstEmpty(Callback):
    pass


class SecondEmpty(Callback):
    pass


def guests():
    if os.environ["GUESTS"] == "empty":
        return [FirstEmpty(), SecondEmpty()]
    from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
    from ocr_baseline.lightning.metrics import MetricLogger

    folder = tempfile.mkdtemp(dir=os.environ["GUESTS_FOLDER"])
    if os.environ["GUESTS"] == "silent":
        MetricLogger._log = lambda *args: None
    return [
        PerformanceProfilerCallback(output_dir=folder),
        BaselineReportCallback(output_dir=folder),
    ]


init = Trainer.__init__


@functools.wraps(init)
def with_guests(self, *args, **kwargs):
    init(self, *args, **kwargs)
    self.callbacks[:0] = guests()


Trainer.__init__ = with_guests


def pytest_configure(config):
    config.addinivalue_line("markers", "flaky: of pytest-rerunfailures, which isn't needed here")


def note(report):
    with open(os.environ["GUESTS_RESULTS"], "a") as results:
        results.write(f"{report.outcome} {report.nodeid}\\n")


def pytest_runtest_logreport(report):
    note(report)


def pytest_collectreport(report):
    if report.failed:
        note(report)
"""


def outcomes(tests: Path, chosen: list[str], guests: str, scratch: Path) -> dict[str, str]:
    """Run what pytest's arguments choose and return how each test ended, by its name."""
    results = scratch / f"{guests}.txt"
    results.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "GUESTS": guests,
        "GUESTS_FOLDER": str(scratch),
        "GUESTS_RESULTS": str(results),
        "PYTHONPATH": os.pathsep.join([str(scratch), str(tests), str(Path.cwd())]),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "guest_plugin", "-p", "no:cacheprovider"]
    options = [*OLDER_CHECKOUTS, f"--timeout={TEST_LIMIT_S}", f"--rootdir={tests}"]
    done = subprocess.run(
        [*command, *options, *chosen],
        cwd=tests,
        env=environment,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(chosen)} with {guests}: pytest ended with {done.returncode}")
    ended: dict[str, str] = {}
    for line in results.read_text().splitlines():
        outcome, _, name = line.partition(" ")
        # A test has an outcome for its set-up, one for itself and one for what follows.
        if outcome != "passed" or name not in ended:
            ended[name] = outcome
    return ended


def failed_in(ended: dict[str, str]) -> list[str]:
    """Return the names of what failed."""
    return [name for name, outcome in ended.items() if outcome == "failed"]


def failing_with(
    guests: str, names: list[str], tests: Path, chosen: list[str], scratch: Path
) -> list[str]:
    """Return which of those tests fail with other guests; whole files are run."""
    if not names:  # pytest without files would run all
        return []
    files = sorted({name.partition("::")[0] for name in names})
    failed = failed_in(outcomes(tests, [*chosen, *files], guests, scratch))
    return [name for name in names if name in failed]


def main() -> None:
    """Print the counts of each folder, and what fails with the callbacks alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="Lightning's repository")
    parser.add_argument("--only", action="append", help="a folder of tests/tests_pytorch")
    parser.add_argument("-k", default="", help="pytest's expression of which tests to run")
    arguments = parser.parse_args()
    chosen = ["-k", arguments.k]
    tests = arguments.checkout.resolve() / "tests"
    rows, harmed = [], []
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        (scratch / "guest_plugin.py").write_text(PLUGIN)
        for folder in arguments.only or FOLDERS:
            ours = outcomes(tests, [*chosen, f"tests_pytorch/{folder}"], "ours", scratch)
            failed = failed_in(ours)
            both = failing_with("empty", failed, tests, chosen, scratch)
            alone = [name for name in failed if name not in both]
            silent = failing_with("silent", alone, tests, chosen, scratch)
            notes = dict.fromkeys(silent, f" ({LOGS_NOTHING} too)")
            harmed += [name + notes.get(name, "") for name in alone]
            counts = map(len, (ours, both, alone, silent))
            rows.append([folder, *map(str, counts)])
    print_table(["folder", "tests", "fail with both", "with ours alone", LOGS_NOTHING], rows)
    print("\n".join(harmed))


if __name__ == "__main__":
    main()
