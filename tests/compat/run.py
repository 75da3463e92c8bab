"""The tests under several versions of Lightning, of Hydra and of Python, and the lowest of all.

`python tests/compat/run.py [--lowest] [--lightning VERSION …] [--hydra VERSION …]
[--python VERSION-OR-PATH …] [--processes N]`

Without versions all those that are named here run, but for a Python that is not found, which is
said. `environments.py` says what the environments hold.

Which tests run where follows one rule: those of the rooms that import a package which the
environment exchanges.

- The lowest versions that pyproject.toml allows exchange all packages but torch: every room of the
  engine, as each imports one (numpy in `records`, scipy in `analysis`, pydantic in `model`, jinja2
  in `reports`, click in `cli` …), the clients of W&B and MLflow, and the model (torchmetrics).
  Left out is what imports torch or the standard library alone: `ONLY_STANDARD_LIBRARY_OR_TORCH`.
- A Lightning, under both of its names: the callbacks, `ocr-baseline run` and the examples of
  docs/other_projects.md.
- A Hydra: what Hydra composes and starts.
- A Python exchanges everything: the callbacks and the whole engine.

Property tests try a tenth of their examples (the profile `quick`): packages are what differs here,
and `make test` has tried all of our own inputs.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.compat.environments import (
    ROOT,
    with_hydra,
    with_lightning,
    with_lowest,
    with_python,
)
from tests.compat.interpreters import find_interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LIGHTNINGS = ("2.1", "2.3", "2.5", "2.6")
HYDRAS = ("1.4.0rc3",)
"""Those beside the one of constraints.txt, exact."""
PYTHONS = ("3.10", "3.12", "3.13", "3.14")
"""Those that torch has wheels for, beside 3.11, under which CI runs every test."""
CALLBACKS = (
    "tests/docs/test_other_projects.py",
    "tests/ocr_baseline/lightning",
    "tests/ocr_baseline/unchanged_script",
)
ENGINE = ("tests/ocr_baseline",)
ONLY_STANDARD_LIBRARY_OR_TORCH = (
    "tests/ocr_baseline/measure/test_compiled_code.py",
    "tests/ocr_baseline/model/test_private_text.py",
    "tests/ocr_baseline/model/test_redaction.py",
    "tests/ocr_baseline/model/test_secret_corpus.py",
    "tests/ocr_baseline/sources/wandb/test_log.py",
)
CLIENTS_AND_MODEL = (
    "tests/integration/test_live_wandb.py",
    "tests/integration/test_mlflow_run.py",
    "tests/integration/test_wandb_api.py",
    "tests/integration/test_wandb_failures.py",
    "tests/ocr/models",
)
HYDRA_PROGRAMS = (
    "tests/ocr/configs",
    "tests/docs/test_other_projects.py",
    "tests/ocr_baseline/hydra",
    "tests/ocr/test_train.py",
)
_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")
_VERSIONS = (
    "import platform, lightning, hydra; "
    "print(platform.python_version(), lightning.__version__, hydra.__version__, sep=' | ')"
)


@dataclass(frozen=True)
class Outcome:
    """How the tests went in one environment; `versions` are what was really imported."""

    versions: str
    counts: dict[str, int]
    wall_s: float
    failures: list[str]

    @property
    def is_good(self) -> bool:
        """Whether tests ran and all of them passed."""
        return bool(self.counts.get("passed")) and not self.failures


def main() -> int:
    """Run the chosen tests under each version; return 0 when all pass."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lowest", action="store_true")
    parser.add_argument("--lightning", nargs="+", metavar="VERSION")
    parser.add_argument("--hydra", nargs="+", metavar="VERSION")
    parser.add_argument("--python", nargs="+", metavar="VERSION-OR-PATH")
    parser.add_argument("--processes", type=int, default=2, help="of pytest; 0: no others")
    arguments = parser.parse_args()
    is_all = not (arguments.lowest or arguments.lightning or arguments.hydra or arguments.python)
    lightnings = arguments.lightning or (LIGHTNINGS if is_all else ())
    hydras = arguments.hydra or (HYDRAS if is_all else ())
    pythons = arguments.python or (PYTHONS if is_all else ())
    found = {version: find_interpreter(version) for version in pythons}
    outcomes = []
    if is_all or arguments.lowest:
        left_out = [f"--ignore={path}" for path in ONLY_STANDARD_LIBRARY_OR_TORCH]
        lowest = with_lowest()
        outcomes.append(_run(lowest, (*CALLBACKS, *ENGINE, *left_out), arguments.processes))
        # In processes of their own: W&B's client keeps what goes wrong for the rest of a process.
        outcomes.append(_run(lowest, CLIENTS_AND_MODEL, arguments.processes))
    outcomes += [
        _run(with_lightning(version), CALLBACKS, arguments.processes) for version in lightnings
    ]
    outcomes += [
        _run(with_hydra(version), HYDRA_PROGRAMS, arguments.processes) for version in hydras
    ]
    outcomes += [
        _run(with_python(interpreter), (*CALLBACKS, *ENGINE), arguments.processes)
        for interpreter in found.values()
        if interpreter is not None
    ]
    _print(outcomes)
    absent = [name for name, interpreter in found.items() if interpreter is None]
    if absent:
        print(f"Left out, as no such interpreter was found: Python {', '.join(absent)}")
    return 0 if outcomes and all(outcome.is_good for outcome in outcomes) else 1


def _run(python: Path, tests: Sequence[str], processes: int) -> Outcome:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [python, "-c", _VERSIONS], env=environment, capture_output=True, text=True, check=False
    )
    options = ["-q", "-rfE", "-p", "no:cacheprovider", "-n", str(processes)]
    options += ["--hypothesis-profile=quick"]
    began_s = time.monotonic()
    done = subprocess.run(
        [python, "-m", "pytest", *options, *tests],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    return Outcome(
        versions=told.stdout.strip() or f"{python.parents[1].name} (can't be imported) | |",
        counts={name: int(count) for count, name in _COUNTS.findall(lines[-1] if lines else "")},
        wall_s=time.monotonic() - began_s,
        failures=[line for line in lines if line.startswith(("FAILED ", "ERROR "))]
        or ([done.stdout[-500:] + done.stderr[-500:]] if done.returncode else []),
    )


def _print(outcomes: Sequence[Outcome]) -> None:
    print("| Python | Lightning | Hydra | passed | failed | skipped | s |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: |")
    for outcome in outcomes:
        passed, skipped = (outcome.counts.get(name, 0) for name in ("passed", "skipped"))
        print(
            f"| {outcome.versions} | {passed} | {len(outcome.failures)} | {skipped} "
            f"| {outcome.wall_s:.0f} |"
        )
    for outcome in outcomes:
        for failure in outcome.failures:
            print(f"{outcome.versions}: {failure}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
