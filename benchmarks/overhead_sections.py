"""What naming costs: one section, and one call of a named operation, in a recorded run.

In each training step of a recorded run, and for each item in its loader's worker, the ways take
turns, some hundred blocks each: a `section`, a call of a Python function and one of a C function
that `operations` names, and the least that a timing can take: a context that reads the clock at
both ends and adds up. A figure is the median over rounds, without the bare loop or call, in
nanoseconds and in multiples of that least, which machines can be compared by.

    python benchmarks/overhead_sections.py [--rounds 300]
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader, Dataset

from benchmarks.overhead_training import ours, silence
from benchmarks.tables import Goal, print_table
from ocr_baseline import section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BLOCKS = 200
GOAL_NS = 800.0
IDLE_GOAL_NS = 300.0
WARM_UP_ROUNDS = 10


class LeastTiming:
    """A context that adds up the time of its blocks and does nothing else."""

    def __init__(self) -> None:
        """Begin with no time."""
        self.began_ns = 0
        self.total_ns = 0

    def __enter__(self) -> None:
        """Read the clock."""
        self.began_ns = perf_counter_ns()

    def __exit__(self, *exc_info: object) -> None:
        """Read it again."""
        self.total_ns += perf_counter_ns() - self.began_ns


least = LeastTiming()


def named(number: float) -> float:
    """Do nothing; `OPERATIONS` names it."""
    return number


def unnamed(number: float) -> float:
    """Do as much."""
    return number


OPERATIONS = (f"{__name__}.named", "math.hypot")


def _loop() -> None:
    for _ in range(BLOCKS):
        pass


def _least() -> None:
    for _ in range(BLOCKS):
        with least:
            pass


def _sections() -> None:
    for _ in range(BLOCKS):
        with section("empty"):
            pass


def _named_python() -> None:
    for _ in range(BLOCKS):
        named(1.0)


def _unnamed_python() -> None:
    for _ in range(BLOCKS):
        unnamed(1.0)


def _named_c() -> None:
    for _ in range(BLOCKS):
        math.hypot(1.0)


def _unnamed_c(hypot: Callable[[float], float] = math.hypot) -> None:
    for _ in range(BLOCKS):
        hypot(1.0)


LEAST = "the least that a timing takes"
WAYS: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    LEAST: (_least, _loop),
    "a section": (_sections, _loop),
    "a named Python function": (_named_python, _unnamed_python),
    "a named C function": (_named_c, _unnamed_c),
}
"""What is timed, and what is taken off it."""


def one_round() -> list[float]:
    """Return what a block of each way takes, in nanoseconds."""
    costs = []
    for way, bare in WAYS.values():
        begin_ns = perf_counter_ns()
        way()
        middle_ns = perf_counter_ns()
        bare()
        costs.append((2 * middle_ns - begin_ns - perf_counter_ns()) / BLOCKS)
    return costs


class RoundsInWorker(Dataset[torch.Tensor]):
    """Each item is a round."""

    def __init__(self, rounds: int) -> None:
        """Hold so many."""
        self.rounds = rounds

    def __len__(self) -> int:
        """Return the number of rounds."""
        return self.rounds

    def __getitem__(self, index: int) -> torch.Tensor:
        """Measure."""
        return torch.tensor(one_round(), dtype=torch.float64)


class RoundsModule(LightningModule):
    """Each step is a round too."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.automatic_optimization = False
        self.in_step: list[list[float]] = []
        self.in_worker: list[list[float]] = []

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        """Measure, and keep what the worker measured."""
        self.in_step.append(one_round())
        self.in_worker.append(batch.flatten().tolist())

    def configure_optimizers(self) -> None:
        """Train nothing."""


def measure(rounds: int, folder: Path) -> dict[str, Sequence[Sequence[float]]]:
    """Return the rounds of a recorded run, by where they ran."""
    module = RoundsModule()
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        default_root_dir=str(folder),
        callbacks=ours(folder, operations=OPERATIONS),
    )
    with silence():
        trainer.fit(module, DataLoader(RoundsInWorker(rounds + WARM_UP_ROUNDS), num_workers=1))
    return {
        "in the step": module.in_step[WARM_UP_ROUNDS:],
        "in a loader worker": module.in_worker[WARM_UP_ROUNDS:],
    }


def main() -> int:
    """Print the table and whether the goals are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    arguments = parser.parse_args()
    rows, goals = [], []
    with tempfile.TemporaryDirectory() as name:
        measured = measure(arguments.rounds, Path(name))
    for where, rounds in measured.items():
        costs_ns = dict(zip(WAYS, map(statistics.median, zip(*rounds, strict=True)), strict=True))
        for way, cost_ns in costs_ns.items():
            rows.append((f"{way}, {where}", f"{cost_ns:.0f}", f"{cost_ns / costs_ns[LEAST]:.1f}"))
            if way != LEAST:
                goals.append(Goal(f"{way}, {where}, ns", cost_ns, GOAL_NS))
    idle_ns = statistics.median(one_round()[1] for _ in range(arguments.rounds))
    rows.append(("a section while nothing records", f"{idle_ns:.0f}", ""))
    goals.append(Goal("a section while nothing records, ns", idle_ns, IDLE_GOAL_NS))
    print_table(("one of these", "ns", "times the least"), rows)
    return Goal.report(*goals)


if __name__ == "__main__":
    sys.exit(main())
