"""All benchmarks one after the other, then one table of what each claims and what it measured.

A benchmark that misses a goal does not keep the others from running; the exit status is 1 when any
goal was missed or a benchmark failed. Each is a process of its own, so that none inherits another's
memory or imports.

    python -m benchmarks [--only NAME …] [--list]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.tables import GOALS_FILE, Goal, print_table

BENCHMARKS = {
    "truth": "every second is where the report says it is",
    "overhead_counts": "what the callbacks call in a batch, exactly",
    "overhead_instructions": "what the callbacks take of the processor in a batch, exactly",
    "overhead": "what the callbacks cost an ordinary run",
    "overhead_manual": "what the profiler costs the least step",
    "overhead_sections": "what a section and a named operation cost",
    "overhead_pipeline": "what the callbacks cost the receipt pipeline",
    "sampling": "whether sampled shares are right, and what a tick costs",
    "savings": "a remedy saves what the report says",
    "prove": "the setting that `prove` recommends is the best one",
    "answers": "the report names the cause by itself",
    "scale": "a run of a million batches",
    "page": "what the page weighs, and how soon it is there",
    "trace": "the trace of a million batches",
    "sources": "how fast runs are read back",
    "hydra_startup": "what the plugin costs Hydra's start",
    "run": "what ocr-baseline run adds to a script",
    "ranks": "the report of a thousand ranks",
    "verdicts": "how often a verdict is wrong",
    "verdicts_real": "verdicts on real trainings",
    "many_baselines": "a store of ten thousand baselines",
    "redaction": "what the output gate lets pass, and what it takes in error",
    "faults": "what a run survives",
    "guest": "no training harmed, no false number",
    "learning": "the pipeline learns, where the real receipts are",
}
"""By name of the file, in the order in which they run; the longest, `learning`, is the last."""


class Outcome(NamedTuple):
    """What became of one benchmark; `exit_code` is 0, or 1 where it missed a goal."""

    name: str
    exit_code: int
    duration_s: float
    goals: list[Goal]


def run(name: str) -> Outcome:
    """Run one benchmark with its output going where ours goes."""
    with tempfile.TemporaryDirectory() as folder:
        goals_file = Path(folder) / "goals.jsonl"
        began_s = time.monotonic()
        finished = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"],
            env={**os.environ, GOALS_FILE: str(goals_file)},
            check=False,
        )
        lines = goals_file.read_text().splitlines() if goals_file.exists() else []
    goals = [Goal(**json.loads(line)) for line in lines]
    return Outcome(name, finished.returncode, time.monotonic() - began_s, goals)


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Return a row of the table for each goal, one that says so where there was none."""
    if not outcome.goals:
        verdict = "ran" if outcome.exit_code == 0 else f"FAILED (exit {outcome.exit_code})"
        return [(outcome.name, "no goal reported", "", "", verdict)]
    return [
        (
            outcome.name,
            goal.name,
            f"{goal.value:.3g}",
            f"{goal.limit:g}",
            "met" if goal.is_met else "MISSED",
        )
        for goal in outcome.goals
    ]


def main() -> int:
    """Run the benchmarks asked for and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--list", action="store_true", help="say what there is and run nothing")
    arguments = parser.parse_args()
    if arguments.list:
        print_table(("benchmark", "what it measures"), list(BENCHMARKS.items()))
        return 0
    outcomes = []
    for number, name in enumerate(arguments.only, start=1):
        print(f"\n== {number} of {len(arguments.only)}: {name}: {BENCHMARKS[name]}\n", flush=True)
        outcomes.append(run(name))
        print(f"\n{name} took {outcomes[-1].duration_s / 60:.1f} min", file=sys.stderr, flush=True)
    print("\n== All goals\n")
    header = ("benchmark", "goal", "measured", "at most", "")
    print_table(header, [row for outcome in outcomes for row in rows(outcome)])
    return int(any(outcome.exit_code for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
