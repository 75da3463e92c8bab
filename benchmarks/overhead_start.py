"""What a short fit costs beside its loop: imports, start, report, and memory.

Each run of 300 training and 300 validation batches is a process of its own, with the two callbacks
and without, in alternating order. A figure is the median over pairs of the difference, with its
95% interval. The start is from the call of `fit` to the loop, the end from there to the return, the
report included, all in processor time of the training's thread, which waits for no other program;
memory is the process's own, at the end of the loop and at its highest. A second fit in the process
has what the first one loaded, compiled and built.

    python benchmarks/overhead_start.py [--rounds 10] [--batches 300]
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.intervals import Median, median_of
from benchmarks.tables import Goal, print_table

MILLISECONDS = 1e3
MEGABYTE = 1e6
PAGE_BYTES = resource.getpagesize()
GOAL_MS = 100.0
GOAL_MEMORY_MB = 20.0
FIGURES = {
    "imports": "import, processor ms",
    "start": "start of the fit, processor ms",
    "loop": "loop, processor ms",
    "end": "end of the fit, processor ms",
    "fit": "start and end, processor ms",
    "fit_again": "start and end of a second fit, processor ms",
    "fit_wall": "whole fit, wall ms",
    "loop_memory": "memory at the loop's end, MB",
    "peak_memory": "highest memory, MB",
}


def one_run(batches: int, *, with_ours: bool) -> dict[str, float]:
    """Train twice in this process; return the figures by name."""
    training = importlib.import_module("benchmarks.overhead_training")  # Lightning with it
    began_s = time.thread_time()
    if with_ours:
        package = importlib.import_module("ocr_baseline")
        _ = package.PerformanceProfilerCallback, package.BaselineReportCallback
    imported_s = time.thread_time()
    first = _fit(training, batches, with_ours=with_ours)
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    again = _fit(training, batches, with_ours=with_ours)
    return {
        "imports": (imported_s - began_s) * MILLISECONDS,
        **first,
        "fit_again": again["fit"],
        "peak_memory": peak_bytes / MEGABYTE,
    }


def _fit(training: Any, batches: int, *, with_ours: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name, training.silence():
        folder = Path(name)
        make = training.VARIANTS[training.OURS if with_ours else training.NOTHING]
        trainer = training.trainer_with(make(folder), folder)
        module, data = training.OrdinaryModule(), training.loader(batches, 0)
        run = trainer.fit_loop.run
        instants_s = [time.thread_time()]
        loop_memory: list[float] = []

        def watched_run() -> None:
            instants_s.append(time.thread_time())
            run()
            instants_s.append(time.thread_time())
            loop_memory.append(_resident_bytes())

        trainer.fit_loop.run = watched_run
        began_wall_s = time.perf_counter()
        trainer.fit(module, data, data)
        wall_s = time.perf_counter() - began_wall_s
        instants_s.append(time.thread_time())
    called_s, began_loop_s, ended_loop_s, ended_s = instants_s
    return {
        "start": (began_loop_s - called_s) * MILLISECONDS,
        "loop": (ended_loop_s - began_loop_s) * MILLISECONDS,
        "end": (ended_s - ended_loop_s) * MILLISECONDS,
        "fit": (began_loop_s - called_s + ended_s - ended_loop_s) * MILLISECONDS,
        "fit_wall": wall_s * MILLISECONDS,
        "loop_memory": loop_memory[0] / MEGABYTE,
    }


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def run_in_process(batches: int, *, with_ours: bool) -> dict[str, float]:
    """Return the figures of a run in a process of its own."""
    which = "--ours" if with_ours else "--nothing"
    command = [sys.executable, __file__, "--batches", str(batches), which]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures: dict[str, float] = json.loads(output.splitlines()[-1])
    return figures


def measure(rounds: int, batches: int) -> dict[bool, list[dict[str, float]]]:
    """Return the runs with the callbacks (True) and without, one of each in a round."""
    runs: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for number in range(rounds):
        for with_ours in (True, False) if number % 2 else (False, True):
            runs[with_ours].append(run_in_process(batches, with_ours=with_ours))
        print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return runs


def main() -> int:
    """Print the table and whether the goals are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--batches", type=int, default=300)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--ours", action="store_true", help="one run in this process")
    one.add_argument("--nothing", action="store_true", help="one run in this process")
    arguments = parser.parse_args()
    if arguments.ours or arguments.nothing:
        print(json.dumps(one_run(arguments.batches, with_ours=arguments.ours)))
        return 0
    runs = measure(arguments.rounds, arguments.batches)
    more: dict[str, Median] = {}
    rows = []
    for key, name in FIGURES.items():
        without = [run[key] for run in runs[False]]
        pairs = zip(runs[True], runs[False], strict=True)
        more[key] = median_of([with_ours[key] - nothing[key] for with_ours, nothing in pairs])
        rows.append((name, f"{median_of(without).value:.0f}", more[key].text(0)))
    print_table(("of one run", "with nothing", "more with ours"), rows)
    return Goal.report(
        Goal("start and end of a fit over nothing, processor ms", more["fit"].value, GOAL_MS),
        Goal("memory during the run over nothing, MB", more["loop_memory"].value, GOAL_MEMORY_MB),
    )


if __name__ == "__main__":
    sys.exit(main())
