"""What the two callbacks cost the receipt pipeline at batch 4, as a share of an epoch.

Each round trains and validates the same epoch twice in one process, with and without the callbacks
as `callbacks=baseline_report` has them, in alternating order. A share is the median over rounds of
with / without - 1, beside its 95 % interval by bootstrap; the processor time of the main thread has
less noise than the wall time on a machine that does other things as well. Writing the report, after
the epoch, is not in it.

    python benchmarks/overhead_pipeline.py [--rounds 12]
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from benchmarks.intervals import median_of
from benchmarks.receipt_runs import make_training
from benchmarks.tables import Goal, print_table
from ocr.train import config_dir
from ocr_baseline.layout import JSON_NAME
from ocr_baseline.model.document_file import read_baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning.pytorch import Callback

GOAL_PERCENT_OF_EPOCH = 0.5
TRAINING = (
    "data.batch_size=4",
    "data.num_workers=1",
    "data.synthetic.train_count=48",
    "data.synthetic.val_count=16",
    "trainer.max_epochs=1",
)


@dataclass(frozen=True, kw_only=True)
class EpochTime:
    """One epoch and its validation, by two clocks."""

    wall_s: float
    processor_s: float


def shipped_callbacks(folder: Path) -> list[Callback]:
    """Return the profiler and the report as `callbacks=baseline_report` configures them."""
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        cfg = compose("train", overrides=["callbacks=baseline_report"])
    return [
        instantiate(cfg.callbacks[name], output_dir=str(folder))
        for name in ("performance_profiler", "baseline_report")
    ]


def time_epoch(folder: Path, callbacks: Sequence[Callback]) -> EpochTime:
    """Train once; return what the fit loop took."""
    training = make_training(folder, TRAINING, callbacks, is_light=False)
    loop = training.trainer.fit_loop
    run, times = loop.run, []

    def timed_run() -> None:
        begin_s, begin_cpu_s = time.perf_counter(), time.thread_time()
        run()
        times.append(
            EpochTime(
                wall_s=time.perf_counter() - begin_s,
                processor_s=time.thread_time() - begin_cpu_s,
            )
        )

    loop.run = timed_run  # type: ignore[method-assign]  # the stopwatch
    training.fit()
    return times[0]


def percent_more(
    with_callbacks: Sequence[EpochTime],
    without: Sequence[EpochTime],
    clock: Callable[[EpochTime], float],
) -> tuple[float, float, float]:
    """Return the median over rounds in percent, and its 95 % interval."""
    return median_of(
        [
            100.0 * (clock(one) / clock(other) - 1.0)
            for one, other in zip(with_callbacks, without, strict=True)
        ]
    )


def measure(rounds: int, folder: Path) -> tuple[dict[bool, list[EpochTime]], list[float]]:
    """Return the epochs with (True) and without, and what each report says, in percent."""
    times: dict[bool, list[EpochTime]] = {True: [], False: []}
    own_percent = []
    time_epoch(folder, [])
    for number in range(rounds):
        for has_callbacks in (True, False) if number % 2 else (False, True):
            callbacks = shipped_callbacks(folder / "report") if has_callbacks else []
            times[has_callbacks].append(time_epoch(folder, callbacks))
        measurement = read_baseline(folder / "report" / JSON_NAME).measurement
        own_percent.append(100.0 * (measurement.overhead_share or 0.0))
        print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return times, own_percent


def main() -> int:
    """Print the table and whether the goal is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        times, own_percent = measure(arguments.rounds, Path(name))
    shares = {
        "wall time": percent_more(times[True], times[False], lambda one: one.wall_s),
        "processor time": percent_more(times[True], times[False], lambda one: one.processor_s),
        "by the report itself": (
            statistics.median(own_percent),
            min(own_percent),
            max(own_percent),
        ),
    }
    without_s = statistics.median(one.wall_s for one in times[False])
    print(f"an epoch without the callbacks: {without_s:.2f} s")
    print_table(
        ("share of the callbacks", "% of the epoch", "low", "high"),
        [(name, *(f"{value:+.2f}" for value in values)) for name, values in shares.items()],
    )
    return Goal.report(
        *(
            Goal(f"{name}, % of the epoch", values[0], GOAL_PERCENT_OF_EPOCH)
            for name, values in shares.items()
        )
    )


if __name__ == "__main__":
    sys.exit(main())
