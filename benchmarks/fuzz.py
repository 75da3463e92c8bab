"""Coverage-guided fuzzing of everything that reads a file: a reading or an error of ours.

Each target runs in a process of its own under Atheris (libFuzzer with Python's coverage), from
small real files that are made first. Anything but a reading that can be shown and stored again or
a `BaselineError` is a finding, as is an input that takes more than ten seconds or much memory. An
input that was found is kept, and read again with `--input`.

    pip install atheris
    python benchmarks/fuzz.py [--seconds 60] [--only TARGET] [--corpus FOLDER]
    python benchmarks/fuzz.py --only TARGET --input FILE
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import random
import re
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.tables import Goal, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.fuzz_targets import Target

TARGET_NAMES = ("documents", "records", "csv", "tensorboard", "wandb")
MAX_INPUT_BYTES = 64 * 1024
INPUT_TIMEOUT_S = 10
MEMORY_LIMIT_MIB = 1024
"""Of the whole process, which takes some 400 MiB before its first input."""

_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+)")
_STATISTIC = re.compile(r"stat::(\w+):\s+(\d+)")
_FINDING = re.compile(r"Test unit written to (\S+)")


@dataclass(frozen=True)
class Outcome:
    """What one target came to; `finding` is the path of an input, None where all went well."""

    executions: int
    edges: int
    features: int
    peak_mib: int
    finding: str | None


def targets() -> Mapping[str, Target]:
    """Return the targets, imported only now: a fuzzing process counts what it imports."""
    from benchmarks.fuzz_targets import TARGETS

    return TARGETS


def fuzz(name: str, seconds: int, corpus: Path) -> Outcome:
    """Fuzz one target in a process of its own; its seeds and finds are in `corpus`."""
    corpus.mkdir(parents=True, exist_ok=True)
    # In processes of their own: a process begins with the peak memory of the one that starts it.
    subprocess.run([sys.executable, __file__, f"--seeds={name}", str(corpus)], check=True)
    done = subprocess.run(
        [
            sys.executable,
            __file__,
            f"--fuzz={name}",
            f"-max_total_time={seconds}",
            f"-max_len={MAX_INPUT_BYTES}",
            f"-timeout={INPUT_TIMEOUT_S}",
            f"-rss_limit_mb={MEMORY_LIMIT_MIB}",
            f"-artifact_prefix={corpus.parent}/{name}-",
            "-print_final_stats=1",
            str(corpus),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return _outcome(done.stdout, done.returncode)


def _outcome(output: str, exit_code: int) -> Outcome:
    if exit_code:
        print(output[-4000:], file=sys.stderr)
    statistics = {name: int(value) for name, value in _STATISTIC.findall(output)}
    edges, features = next(reversed(_COVERAGE.findall(output)), (0, 0))
    found = _FINDING.search(output)
    return Outcome(
        executions=statistics.get("number_of_executed_units", 0),
        edges=int(edges),
        features=int(features),
        peak_mib=statistics.get("peak_rss_mb", 0),
        finding=found[1] if found else ("no input" if exit_code else None),
    )


def fuzz_here(name: str, options: list[str]) -> None:
    """Fuzz one target in this process, with libFuzzer's options; it ends the process."""
    import atheris

    _be_quiet()
    with atheris.instrument_imports(include=["ocr_baseline"]):
        target = targets()[name]
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))

    def change(content: bytes, max_size: int, seed: int) -> bytes:
        return target.mutate(content, max_size, random.Random(seed), atheris.Mutate)  # noqa: S311 - no secrets

    atheris.Setup(
        [sys.argv[0], *options],
        lambda content: target.test(content, folder),
        custom_mutator=change,
    )
    atheris.Fuzz()


def _be_quiet() -> None:
    warnings.simplefilter("ignore")
    logging.disable()


def write_seeds(name: str, folder: Path) -> None:
    """Write the inputs that a target begins with."""
    _be_quiet()
    for number, content in enumerate(targets()[name].seeds()):
        (folder / f"seed-{number}").write_bytes(content)


def fuzz_all(names: list[str], seconds: int, corpus: Path) -> int:
    """Fuzz each target and print the table; 0 where nothing was found."""
    outcomes = {name: fuzz(name, seconds, corpus / name) for name in names}
    print_table(
        ("target", "seconds", "executions", "edges", "features", "peak memory", "findings"),
        [
            (
                name,
                str(seconds),
                f"{outcome.executions:,}",
                f"{outcome.edges:,}",
                f"{outcome.features:,}",
                f"{outcome.peak_mib} MiB",
                outcome.finding or "0",
            )
            for name, outcome in outcomes.items()
        ],
    )
    found = sum(outcome.finding is not None for outcome in outcomes.values())
    return Goal.report(Goal("targets with a finding", found, 0))


def main() -> int:
    """Fuzz every target or one, or read one input again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", action="append", choices=TARGET_NAMES)
    parser.add_argument("--corpus", type=Path, help="folder to keep inputs in, to go on from them")
    parser.add_argument("--input", type=Path, help="read this input and do nothing else")
    parser.add_argument("--fuzz", metavar="TARGET", help=argparse.SUPPRESS)
    parser.add_argument("--seeds", metavar="TARGET", help=argparse.SUPPRESS)
    arguments, options = parser.parse_known_args()
    if arguments.seeds:
        write_seeds(arguments.seeds, Path(options[0]))
        return 0
    if arguments.fuzz:
        fuzz_here(arguments.fuzz, options)
    if arguments.input:
        with tempfile.TemporaryDirectory() as folder:
            targets()[arguments.only[0]].test(arguments.input.read_bytes(), Path(folder))
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("not run: fuzzing needs Atheris, which is no dependency: pip install atheris")
        return 0
    corpus = arguments.corpus or Path(tempfile.mkdtemp(prefix="fuzz-corpus-"))
    return fuzz_all(arguments.only or list(TARGET_NAMES), arguments.seconds, corpus)


if __name__ == "__main__":
    sys.exit(main())
