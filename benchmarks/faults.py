"""What is left of a training's baseline when the training, the disk or a service fails.

Each run is a process of its own, hit by one fault; a run without the callbacks and with the same
fault says what exit code and weights are right. Signals come at random moments after the first
batch. A report is recovered when the callback wrote it or when the records give one afterwards.

    python benchmarks/faults.py [--kills 100] [--repeats 20] [--seed 0] [--only FAULT]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.faults_disks import (
    begin_with_own_mounts,
    freezable_disk,
    small_disk,
    thaw,
)
from benchmarks.faults_progress import Progress, wait_for_batches, wait_for_end
from benchmarks.faults_run import (
    BATCHES_OF_FAULT,
    KILL_OF_SLOW_BATCHES,
    SLOW_BATCH_S,
    Setting,
    start,
)
from benchmarks.tables import Goal, print_table
from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.errors import BaselineError
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.records import reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline

SIGNALS = {
    "kill -9": signal.SIGKILL,
    KILL_OF_SLOW_BATCHES: signal.SIGKILL,
    "SIGTERM": signal.SIGTERM,
    "SIGINT": signal.SIGINT,
}
FAULTS = (
    "none",
    *SIGNALS,
    "exception in the step",
    "out of memory",
    "sys.exit in a hook",
    "folder that can't be made",
    "file system that takes no files",
    "full disk",
    "file system that hangs",
    "records folder removed",
    "damaged records",
    "logger that raises",
    "dead W&B server",
    "unserializable config",
)
WITHOUT_RECORDS = frozenset({"folder that can't be made", "file system that takes no files"})
"""Faults that leave nothing to read: no report to recover, only a training to leave alone."""

WITHOUT_BATCHES = frozenset(
    {"full disk", "file system that hangs", "dead W&B server", *WITHOUT_RECORDS}
)
"""Faults that leave no batch to count: none could be written, or there was no reader."""

DISKS = {"full disk": small_disk, "file system that hangs": freezable_disk}
"""Faults of a file system that is mounted for them, where that is possible."""

MAX_LOST_BATCHES = 1000
MAX_LOST_SLOW_BATCHES = round(2.0 / SLOW_BATCH_S)
"""One second of them, and one more in which a busy machine may hold up the thread that writes."""

TIMEOUT_S = 60.0


@dataclass
class Tally:
    """What the runs with one fault came to."""

    runs: int = 0
    recovered: int = 0
    wrong: int = 0
    harmed: int = 0
    exit_codes_changed: int = 0
    has_stand_in: bool = False
    lost_batches: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """How one run ended; `weights` is 0 where the training did not come to its end."""

    exit_code: int
    weights: float
    batches: int


def run(
    fault: str,
    folder: Path,
    *,
    with_callbacks: bool,
    moment: random.Random,
    has_disk: bool = False,
) -> Outcome:
    """Run one training; a signal comes at a random batch, a hang ends after the training."""
    progress = Progress()
    setting = Setting(
        folder=folder,
        fault=fault,
        with_callbacks=with_callbacks,
        progress=progress,
        has_disk=has_disk,
    )
    pid = start(setting)
    if fault == "file system that hangs" and has_disk:
        # No process ends while the system holds one of its threads.
        wait_for_end(progress, pid, TIMEOUT_S)
        thaw(setting.report_folder)
    if fault in SIGNALS:
        batches = BATCHES_OF_FAULT[fault]
        target = moment.randrange(1, batches - batches // 20)
        if wait_for_batches(progress, target, pid, TIMEOUT_S):
            os.kill(pid, SIGNALS[fault])
    _, status = os.waitpid(pid, 0)
    return Outcome(os.waitstatus_to_exitcode(status), progress.weights, progress.batches)


def report_of(folder: Path) -> Baseline | None:
    """Return the baseline that the callback wrote, else one from the records."""
    for path in folder.rglob("baseline.json"):
        return read_baseline(path)
    try:
        return analyze(reader.load(folder))
    except BaselineError:
        return None


def judge(tally: Tally, fault: str, folder: Path, outcome: Outcome, expected: Outcome) -> None:
    """Add one run to the tally."""
    tally.runs += 1
    tally.exit_codes_changed += outcome.exit_code != expected.exit_code
    is_whole = fault not in SIGNALS
    tally.harmed += outcome.exit_code != expected.exit_code or (
        is_whole and (outcome.weights, outcome.batches) != (expected.weights, expected.batches)
    )
    baseline = report_of(folder)
    train = None if baseline is None else baseline.phase("train")
    if baseline is None:
        return
    tally.recovered += 1
    recorded = 0 if train is None else train.batches or 0
    # The batch whose hooks are running when the run ends is recorded and not counted yet.
    if recorded > outcome.batches + 1 or baseline.run.status not in _true_status(fault):
        tally.wrong += 1
    if fault not in WITHOUT_BATCHES:
        tally.lost_batches.append(max(0, outcome.batches - recorded))


def _true_status(fault: str) -> set[str]:
    if SIGNALS.get(fault) is signal.SIGKILL:
        return {"unknown"}
    if fault in SIGNALS:
        return {"interrupted"}
    if fault == "file system that hangs":
        return {"unknown"}
    if fault in {"exception in the step", "out of memory", "sys.exit in a hook"}:
        return {"failed"}
    # A disk too full for the status has none for the report either: only the records are read.
    return {"finished"} if fault != "full disk" else {"finished", "unknown"}


@contextmanager
def no_disk(folder: Path) -> Iterator[bool]:
    """Leave the report's folder on the disk where the training's outputs are."""
    yield False


def tally_of(fault: str, repeats: int, moment: random.Random) -> Tally:
    """Run a fault once without the callbacks, then so many times with them."""
    tally = Tally()
    root = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        (root / "reference").mkdir()
        expected = run(fault, root / "reference", with_callbacks=False, moment=moment)
        for number in range(repeats):
            folder = root / str(number)
            folder.mkdir()
            with DISKS.get(fault, no_disk)(folder / "baseline") as has_disk:
                outcome = run(fault, folder, with_callbacks=True, moment=moment, has_disk=has_disk)
                judge(tally, fault, folder, outcome, expected)
            tally.has_stand_in |= fault in DISKS and not has_disk
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return tally


def row(fault: str, tally: Tally) -> tuple[str, ...]:
    """Return the table's row."""
    lost = sorted(tally.lost_batches)
    middle = f"{lost[len(lost) // 2]:,} / {lost[-1]:,}" if lost else "-"
    recovered = "none to recover" if fault in WITHOUT_RECORDS else f"{tally.recovered}"
    return (
        fault,
        str(tally.runs),
        recovered,
        str(tally.wrong),
        middle,
        str(tally.exit_codes_changed),
        str(tally.harmed),
    )


def main() -> int:
    """Run every fault and print the table; 0 when the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="runs with kill -9")
    parser.add_argument("--repeats", type=int, default=20, help="runs of each other fault")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=FAULTS, action="append")
    arguments = parser.parse_args()
    begin_with_own_mounts()
    moment = random.Random(arguments.seed)  # noqa: S311 - moments to kill at, no secrets
    tallies = {
        fault: tally_of(fault, arguments.kills if fault == "kill -9" else arguments.repeats, moment)
        for fault in arguments.only or FAULTS
    }
    print_table(
        (
            "fault",
            "runs",
            "reports recovered",
            "wrong",
            "batches lost (median / most)",
            "exit codes changed",
            "trainings harmed",
        ),
        [row(fault, tally) for fault, tally in tallies.items()],
    )
    for fault, tally in tallies.items():
        if tally.has_stand_in:
            print(f"{fault}: no disk could be mounted for it; see faults_disks.py for its stand-in")
    unread = sum(
        tally.runs - tally.recovered
        for fault, tally in tallies.items()
        if fault not in WITHOUT_RECORDS
    )
    lost = [value for tally in tallies.values() for value in tally.lost_batches]
    slow = tallies.get(KILL_OF_SLOW_BATCHES, Tally()).lost_batches
    return Goal.report(
        Goal("runs without a report", unread, 0),
        Goal("wrong reports", sum(tally.wrong for tally in tallies.values()), 0),
        Goal("trainings harmed", sum(tally.harmed for tally in tallies.values()), 0),
        Goal("most batches lost", max(lost, default=0), MAX_LOST_BATCHES),
        Goal("most batches of 20 ms lost", max(slow, default=0), MAX_LOST_SLOW_BATCHES),
    )


if __name__ == "__main__":
    sys.exit(main())
