"""What sits on an ordinary Lightning run, in instructions: exact, on a busy machine too.

A call into C may be a look into a dictionary or a copy of a tensor, so counted calls
(`overhead_counts.py`) say little of the time, and times of microseconds drown in what else a
machine does. Valgrind's Callgrind counts the instructions of every thread; two counts of one loop
differ by a fraction of a percent. A batch's are the difference between loops of 100 and of 20
training and as many validation batches; what is left over is what a loop takes once.

Ours takes the place of Lightning's own profiler, which passes everything on; what ours takes by
itself is its difference to a run whose profiler doesn't even do that. Part of it is that Lightning
calls two callbacks' hooks, which two empty ones take too. The rest is the measuring, and the
report's own figure of what that cost (of runs without Callgrind) is held against it, as a share of
the loop.

What happens once a second (samples of memory, records to the disk, sampled stacks) is left out: a
program takes some fifty times as long under Callgrind, and it would count fifty times.

Needs Valgrind (`apt-get install valgrind`), and takes about ten minutes.

    python benchmarks/overhead_instructions.py
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.profilers import PassThroughProfiler

import ocr_baseline
from benchmarks.overhead_training import (
    NOTHING,
    OURS_UNSAMPLED,
    TWO_EMPTY,
    VARIANTS,
    OrdinaryModule,
    loader,
    silence,
    trainer_with,
)
from benchmarks.tables import Goal, print_table
from ocr_baseline.measure import heartbeat

ROOT = Path(__file__).parents[1]
NO_PROFILER = "nothing, not even a profiler"
SHOWN = (NOTHING, NO_PROFILER, TWO_EMPTY, "SimpleProfiler", OURS_UNSAMPLED)
RUNS, RUN_BATCHES = 5, 600
GOAL_APART = 0.2
FEW, MANY = 20, 100
WARM_UP = 5
NEVER_S = 3600.0
MILLION = 1e6
_DUMP = re.compile(r"^desc: Trigger: dump (.+)$", re.MULTILINE)
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)$", re.MULTILINE)


class NoProfiler(PassThroughProfiler):
    """One that doesn't even pass on."""

    _nothing = contextlib.nullcontext()

    def profile(self, action_name: str) -> contextlib.nullcontext[None]:  # type: ignore[override]  # a generator's context there
        """Return a context that does nothing."""
        return self._nothing


def count(folder: Path) -> dict[tuple[str, int], int]:
    """Return the instructions of each variant's loop, by its number of batches, in a new process.

    Raises:
        subprocess.CalledProcessError: When the process fails.
    """
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no"]
    command += [f"--callgrind-out-file={folder / 'counts'}", sys.executable, __file__, "--inside"]
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    environment = os.environ | one_thread | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
    counts = {}
    for file in folder.glob("counts.*"):
        text = file.read_text(encoding="utf-8", errors="replace")
        name, total = _DUMP.search(text), _TOTAL.search(text)
        if name is not None and total is not None:
            variant, _, batches = name[1].rpartition(":")
            counts[variant, int(batches)] = int(total[1])
    return counts


def run_inside() -> None:
    """Train each variant, for few and for many batches, and let Callgrind count the loops."""
    heartbeat.INTERVAL_S = NEVER_S
    for name in SHOWN:
        _fit(name, WARM_UP)
    _control("--instr=on")
    _fit(NOTHING, WARM_UP)  # what is counted first takes more
    for name in SHOWN:
        for batches in (FEW, MANY):
            _fit(name, batches, is_counted=True)
        print(f"{name}: done", flush=True)


def told_share() -> float:
    """Return what the report says that measuring cost, a share of the loop: median of runs."""
    torch.set_num_threads(1)
    return statistics.median(_fit(OURS_UNSAMPLED, RUN_BATCHES) or 0.0 for _ in range(RUNS))


def _fit(name: str, batches: int, *, is_counted: bool = False) -> float | None:
    """Train once, counted by Callgrind or not; return what our report says that measuring cost."""
    with tempfile.TemporaryDirectory() as text, silence():
        folder = Path(text)
        options = {"profiler": NoProfiler()} if name == NO_PROFILER else VARIANTS[name](folder)
        trainer = trainer_with(options, folder)
        loop: Any = trainer.fit_loop  # whose method is replaced
        run = loop.run

        def counted_run() -> None:
            gc.collect()
            _control("--zero")
            run()
            _control(f"--dump={name}:{batches}")

        if is_counted:
            loop.run = counted_run
        module, data = OrdinaryModule(), loader(batches, 0)
        trainer.fit(module, data, data)
        if name != OURS_UNSAMPLED:
            return None
        return ocr_baseline.read(folder / "ours").measurement.overhead_share


def _control(order: str) -> None:
    command = ["callgrind_control", order, str(os.getpid())]
    subprocess.run(command, check=True, capture_output=True)


def main() -> int:
    """Print the table and whether the goal is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inside", action="store_true", help="run under Callgrind already")
    if parser.parse_args().inside:
        run_inside()
        return 0
    if shutil.which("valgrind") is None:
        print("nothing was counted: this needs Valgrind")
        return 0
    told = told_share()
    with tempfile.TemporaryDirectory() as name:
        counts = count(Path(name))
    each = {one: (counts[one, MANY] - counts[one, FEW]) / (MANY - FEW) for one in SHOWN}
    once = {one: counts[one, FEW] - FEW * each[one] for one in SHOWN}
    print_table(
        ("on the run", "both batches, million", "over nothing, %", "once a loop, million"),
        [
            (
                one,
                f"{each[one] / MILLION:.3f}",
                f"{100 * (each[one] / each[NOTHING] - 1):+.1f}",
                f"{(once[one] - once[NOTHING]) / MILLION:+.0f}",
            )
            for one in SHOWN
        ],
    )
    over = (each[OURS_UNSAMPLED] - each[TWO_EMPTY]) / each[NOTHING]
    itself = (each[OURS_UNSAMPLED] - each[NO_PROFILER]) / each[OURS_UNSAMPLED]
    called = (each[TWO_EMPTY] - each[NOTHING]) / each[OURS_UNSAMPLED]
    measuring = itself - called
    print(
        f"\nours takes {itself:.1%} of the loop by itself, {called:.1%} of it to be called and "
        f"{measuring:.1%} to measure; its report says {told:.1%}"
    )
    return Goal.report(
        Goal("ours over two empty callbacks, % of both batches", 100 * over, 0.0),
        Goal("its report's own figure, share it is off", abs(told / measuring - 1), GOAL_APART),
    )


if __name__ == "__main__":
    sys.exit(main())
