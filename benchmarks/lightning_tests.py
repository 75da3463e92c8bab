"""Runs Lightning's own tests with the two callbacks in every Trainer, and with two empty ones.

What fails with the first alone is a training that the callbacks harm, or a test that counts what a
trainer does (calls of a logger, files in a folder). Needs a checkout of Lightning's repository at
the tag that is installed; nothing of it is copied here.

    python benchmarks/lightning_tests.py CHECKOUT [--only loops --only tuner ...]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from benchmarks.tables import print_table

TEST_LIMIT_S = 120
FOLDERS = ("callbacks", "loops", "profilers", "trainer/logging_", "tuner")
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

    folder = tempfile.mkdtemp(dir=os.environ["GUESTS_FOLDER"])
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
"""


def outcomes(tests: Path, folder: str, guests: str, scratch: Path) -> dict[str, str]:
    """Run the tests of one folder and return how each ended, by its name."""
    results = scratch / f"{folder.replace('/', '_')}_{guests}.xml"
    environment = {
        **os.environ,
        "GUESTS": guests,
        "GUESTS_FOLDER": str(scratch),
        "PYTHONPATH": os.pathsep.join([str(scratch), str(tests), str(Path.cwd())]),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "guest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, f"--timeout={TEST_LIMIT_S}", f"--junitxml={results}", f"tests_pytorch/{folder}"],
        cwd=tests,
        env=environment,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if not results.is_file():
        return {f"the whole folder, which ended with {done.returncode}": "failed"}
    # The file is pytest's own.
    cases = ElementTree.parse(results).getroot().iter("testcase")  # noqa: S314
    return {f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in cases}


def _outcome(case: ElementTree.Element) -> str:
    tags = {child.tag for child in case}
    if tags & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in tags else "passed"


def main() -> None:
    """Print the counts of each folder, and what fails with the callbacks alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="Lightning's repository")
    parser.add_argument("--only", action="append", help="a folder of tests/tests_pytorch")
    arguments = parser.parse_args()
    tests = arguments.checkout.resolve() / "tests"
    rows, harmed = [], []
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        (scratch / "guest_plugin.py").write_text(PLUGIN)
        for folder in arguments.only or FOLDERS:
            empty = outcomes(tests, folder, "empty", scratch)
            ours = outcomes(tests, folder, "ours", scratch)
            only_ours = [
                name
                for name, outcome in ours.items()
                if outcome == "failed" and empty.get(name) != "failed"
            ]
            harmed += only_ours
            counts = [sum(value == "failed" for value in each.values()) for each in (empty, ours)]
            rows.append([folder, str(len(ours)), *map(str, counts), str(len(only_ours))])
    print_table(["folder", "tests", "fail with two empty", "fail with ours", "ours alone"], rows)
    print("\n".join(harmed))


if __name__ == "__main__":
    main()
