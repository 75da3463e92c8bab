"""What sits on the least step that a Trainer can run costs how much a batch.

Manual optimization, an empty step, batches that are ready in memory, no report: what is left is the
trainer's own loop (`overhead.py` has an ordinary step). Each round trains every variant once, in a
new order, in one process, with as many validation batches as training batches. A variant's figure
is the median over rounds of its time a batch minus that of the run with nothing in the same round.

    python benchmarks/overhead_manual.py [--rounds 9] [--batches 10000]
"""

from __future__ import annotations

import argparse
import logging
import random
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import DeviceStatsMonitor, ThroughputMonitor
from lightning.pytorch.loggers import CSVLogger

from benchmarks.overhead_training import EmptyBatchCallback, SecondEmptyCallback
from benchmarks.tables import Goal, print_table
from ocr_baseline import PerformanceProfilerCallback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MICROSECONDS = 1e6
GOAL_OVER_TWO_EMPTY_US = 8.0


class AlmostEmptyModule(LightningModule):
    """One parameter, one addition."""

    def __init__(self) -> None:
        """Make the parameter."""
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.automatic_optimization = False

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        """Do next to nothing."""

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        """Do as much."""

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return what the trainer asks for."""
        return torch.optim.SGD(self.parameters(), lr=0.1)


class ReadyBatches:
    """A loader whose batches are in memory."""

    def __init__(self, count: int) -> None:
        """Make the batches."""
        self.batches = [torch.zeros(2) for _ in range(count)]

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self.batches)

    def __iter__(self) -> Iterator[torch.Tensor]:
        """Yield them."""
        return iter(self.batches)


def variants(folder: Path) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return what to give the Trainer, by name of the variant; made anew for each run."""

    def profiler() -> PerformanceProfilerCallback:
        return PerformanceProfilerCallback(
            output_dir=folder / "ours", operations=["torch.nn.functional.interpolate"]
        )

    return {
        "nothing": dict,
        "two empty callbacks": lambda: {"callbacks": [EmptyBatchCallback(), SecondEmptyCallback()]},
        "PerformanceProfilerCallback": lambda: {"callbacks": [profiler()]},
        "SimpleProfiler": lambda: {"profiler": "simple"},
        "AdvancedProfiler": lambda: {"profiler": "advanced"},
        "PyTorchProfiler": lambda: {"profiler": "pytorch"},
        "DeviceStatsMonitor": lambda: {"callbacks": [DeviceStatsMonitor(cpu_stats=True)]},
        "ThroughputMonitor": lambda: {
            "callbacks": [ThroughputMonitor(batch_size_fn=lambda batch: batch.shape[0])]
        },
    }


def seconds_a_batch(folder: Path, batches: int, options: dict[str, Any]) -> float:
    """Train and validate once; return the fit loop's time divided by all batches."""
    data = ReadyBatches(batches)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        log_every_n_steps=50,
        logger=CSVLogger(str(folder)),
        default_root_dir=str(folder),
        **options,
    )
    run = trainer.fit_loop.run
    elapsed_s = 0.0

    def timed_run() -> None:
        nonlocal elapsed_s
        begin_s = time.perf_counter()
        run()
        elapsed_s = time.perf_counter() - begin_s

    trainer.fit_loop.run = timed_run  # type: ignore[method-assign]  # the stopwatch
    trainer.fit(AlmostEmptyModule(), data, data)
    return elapsed_s / (2 * batches)


def measure(rounds: int, batches: int, folder: Path) -> dict[str, list[float]]:
    """Return each variant's microseconds a batch over nothing, one value a round."""
    options = variants(folder)
    over_nothing: dict[str, list[float]] = {name: [] for name in options}
    names = list(options)
    for number in range(rounds):
        random.shuffle(names)
        taken = {name: seconds_a_batch(folder, batches, options[name]()) for name in names}
        for name, value in taken.items():
            over_nothing[name].append((value - taken["nothing"]) * MICROSECONDS)
        print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return over_nothing


def main() -> int:
    """Print the table and whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=10_000)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    random.seed(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for make in variants(folder).values():
            seconds_a_batch(folder, 50, make())
        over_nothing = measure(arguments.rounds, arguments.batches, folder)
    medians = {name: statistics.median(values) for name, values in over_nothing.items()}
    rows = [
        (
            name,
            f"{value:+.1f}",
            f"{min(over_nothing[name]):+.1f}",
            f"{max(over_nothing[name]):+.1f}",
        )
        for name, value in medians.items()
        if name != "nothing"
    ]
    print_table(("on the run", "µs a batch, median", "lowest", "highest"), rows)
    over_two_us = medians["PerformanceProfilerCallback"] - medians["two empty callbacks"]
    return Goal.report(
        Goal("ours over two empty callbacks, µs a batch", over_two_us, GOAL_OVER_TWO_EMPTY_US),
    )


if __name__ == "__main__":
    sys.exit(main())
