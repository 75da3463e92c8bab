"""What an epoch of one batch costs: a model is tried on `overfit_batches=1`, for many epochs.

What comes once a pass (opening and closing its stage, its row in the logger) has no other batches
to disappear among. Each round trains with each variant in turn, in an order that rotates, in one
process. A figure is the processor time of the training's thread in the loop, per epoch of one
training batch and one validation batch: the median over rounds, and that of the differences to
nothing with its 95% interval.

    python benchmarks/overhead_epochs.py [--rounds 10] [--epochs 200]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.intervals import median_of
from benchmarks.overhead_training import (
    NOTHING,
    OURS,
    OURS_UNSAMPLED,
    TWO_EMPTY,
    VARIANTS,
    OrdinaryModule,
    loader,
    silence,
    trainer_with,
)
from benchmarks.tables import print_table

MILLISECONDS = 1e3
COMPARED = (NOTHING, TWO_EMPTY, OURS, OURS_UNSAMPLED)


def epoch_ms(variant: str, epochs: int) -> float:
    """Train so many epochs; return what one of them took of the thread's processor time."""
    taken_s: list[float] = []
    with tempfile.TemporaryDirectory() as name, silence():
        folder = Path(name)
        options = {"max_epochs": epochs, "overfit_batches": 1, **VARIANTS[variant](folder)}
        trainer = trainer_with(options, folder)
        run = trainer.fit_loop.run

        def timed_run() -> None:
            began_s = time.thread_time()
            run()
            taken_s.append(time.thread_time() - began_s)

        trainer.fit_loop.run = timed_run  # type: ignore[method-assign]
        data = loader(1, 0)
        trainer.fit(OrdinaryModule(), data, data)
    return taken_s[0] / epochs * MILLISECONDS


def measure(rounds: int, epochs: int) -> dict[str, list[float]]:
    """Return the figures of each variant; a first round, which warms up, is left out."""
    taken_ms: dict[str, list[float]] = {variant: [] for variant in COMPARED}
    for number in range(rounds + 1):
        first = number % len(COMPARED)
        for variant in COMPARED[first:] + COMPARED[:first]:
            taken_ms[variant].append(epoch_ms(variant, epochs))
        print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {variant: figures[1:] for variant, figures in taken_ms.items()}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=200)
    arguments = parser.parse_args()
    taken_ms = measure(arguments.rounds, arguments.epochs)
    rows = []
    for variant in COMPARED:
        pairs = zip(taken_ms[variant], taken_ms[NOTHING], strict=True)
        more = median_of([ours - nothing for ours, nothing in pairs])
        rows.append((variant, f"{median_of(taken_ms[variant]).value:.2f}", more.text(2)))
    print_table(("with", "ms an epoch", "more than with nothing"), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
