"""The pipeline learns: hmean per epoch on real receipts, or overfitting eight synthetic ones.

Real receipts are trained from random weights with `experiment=receipts_cpu`, for as many epochs
as fit into the time, which a few timed batches tell beforehand. Where their folder is absent the
benchmark says so and does nothing.

    python benchmarks/learning.py [--data-root DIR] [--max-minutes 20] [--out FILE.csv|FILE.md]
    python benchmarks/learning.py --overfit
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import logging
import os
import statistics
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import lightning
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from lightning.pytorch import Callback, LightningModule, Trainer

from benchmarks.tables import print_table
from ocr.train import config_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omegaconf import DictConfig

    from ocr.data.module import ReceiptDataModule
    from ocr.lightning_modules.text_detector import TextDetector

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_DATA_ROOT = REPOSITORY.parent / "shared" / "data" / "receipts"

HMEAN_GOAL_REAL = 0.6
HMEAN_GOAL_OVERFIT = 0.9
OVERFIT_PAGES = 8
OVERFIT_EPOCHS = 60
# Calibration: the first batches pay for starting workers and allocating memory.
CALIBRATION_BATCHES = 12
CALIBRATION_WARMUP_BATCHES = 4
# The share of the time that epochs are planned for; the rest is for their fluctuation.
PLANNED_SHARE = 0.9


@dataclass(frozen=True)
class EpochScore:
    """What one epoch reached; times count from the start of the training."""

    epoch: int
    elapsed_s: float
    train_loss: float
    val_loss: float
    precision: float
    recall: float
    hmean: float


class ScoreRecorder(Callback):
    """Collects an `EpochScore` after each validation and tells it on stderr.

    An epoch that the time limit cuts short has no validation and so no score.
    """

    def __init__(self) -> None:
        self.scores: list[EpochScore] = []
        self._losses: list[float] = []
        self._started_s = time.perf_counter()

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._started_s = time.perf_counter()

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Note the batch's loss."""
        self._losses.append(trainer.callback_metrics["train/loss"].item())

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the epoch's values, which the module has logged by now."""
        metrics = trainer.callback_metrics
        score = EpochScore(
            epoch=trainer.current_epoch + 1,
            elapsed_s=time.perf_counter() - self._started_s,
            train_loss=statistics.fmean(self._losses),
            val_loss=metrics["val/loss"].item(),
            precision=metrics["val/precision"].item(),
            recall=metrics["val/recall"].item(),
            hmean=metrics["val/hmean"].item(),
        )
        self._losses.clear()
        self.scores.append(score)
        print("  ".join(_cells(score)), file=sys.stderr, flush=True)


class BatchClock(Callback):
    """Times training batches from end to end, and whole validations."""

    def __init__(self) -> None:
        self.batch_times_s: list[float] = []
        self.validation_s = 0.0
        self._last_s = time.perf_counter()

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Note the time since the last batch."""
        now_s = time.perf_counter()
        self.batch_times_s.append(now_s - self._last_s)
        self._last_s = now_s

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the validation's clock."""
        self._last_s = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the validation's clock."""
        self.validation_s = time.perf_counter() - self._last_s


def compose_training(*overrides: str) -> DictConfig:
    """Compose the application's configuration; nothing is written to disk."""
    quiet = (
        "trainer.enable_progress_bar=false",
        "trainer.enable_checkpointing=false",
        "trainer.enable_model_summary=false",
        "trainer.num_sanity_val_steps=0",
        "paths.output_dir=.",
    )
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train", overrides=[*quiet, *overrides])


def make_training(
    cfg: DictConfig, callback: Callback
) -> tuple[Trainer, TextDetector, ReceiptDataModule]:
    """Seed the random generators and instantiate trainer, model and data, with one callback."""
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)
    trainer: Trainer = instantiate(cfg.trainer, callbacks=[callback], logger=False)
    return trainer, instantiate(cfg.model), instantiate(cfg.data)


def measure_epoch_s(overrides: Sequence[str]) -> float:
    """Return the expected time of an epoch with its validation, from a few training batches."""
    cfg = compose_training(
        *overrides, "trainer.max_epochs=1", f"trainer.limit_train_batches={CALIBRATION_BATCHES}"
    )
    clock = BatchClock()
    trainer, model, data = make_training(cfg, clock)
    trainer.fit(model, datamodule=data)
    batch_s = statistics.median(clock.batch_times_s[CALIBRATION_WARMUP_BATCHES:])
    return batch_s * len(data.train_dataloader()) + clock.validation_s


def learn_real_receipts(
    data_root: Path, max_minutes: float, extra_overrides: Sequence[str]
) -> list[EpochScore]:
    """Train on the folder's training pages from random weights within the time.

    The trainer's own `max_time` ends a training that turns out slower than planned.
    """
    started_s = time.perf_counter()
    overrides = ["experiment=receipts_cpu", f"data.root='{data_root}'", *extra_overrides]
    epoch_s = measure_epoch_s(overrides)
    left_s = 60.0 * max_minutes - (time.perf_counter() - started_s)
    epochs = max(1, int(PLANNED_SHARE * left_s / epoch_s))
    print(f"{epoch_s:.1f} s an epoch: {epochs} epochs in {left_s:.0f} s", file=sys.stderr)
    limit = f"trainer.max_time='{_days_to_seconds(left_s)}'"
    recorder = ScoreRecorder()
    trainer, model, data = make_training(
        compose_training(*overrides, f"trainer.max_epochs={epochs}", limit), recorder
    )
    trainer.fit(model, datamodule=data)
    return recorder.scores


def overfit_synthetic_receipts(extra_overrides: Sequence[str]) -> list[EpochScore]:
    """Train on eight synthetic pages, as they are, and validate on the same pages."""
    with tempfile.TemporaryDirectory() as folder:
        cfg = compose_training(
            f"data.root='{folder}'",
            f"data.synthetic.train_count={OVERFIT_PAGES}",
            "data.synthetic.val_count=1",
            "data.transforms.augmentation=null",
            "data.batch_size=2",
            "data.num_workers=0",
            f"trainer.max_epochs={OVERFIT_EPOCHS}",
            *extra_overrides,
        )
        recorder = ScoreRecorder()
        trainer, model, data = make_training(cfg, recorder)
        data.prepare_data()
        data.setup("fit")
        pages = data.train_dataloader()
        trainer.fit(model, train_dataloaders=pages, val_dataloaders=pages)
    return recorder.scores


def _days_to_seconds(duration_s: float) -> str:
    """Return a duration as Lightning reads it, DD:HH:MM:SS."""
    minutes, seconds = divmod(max(1, int(duration_s)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days:02d}:{hours:02d}:{minutes:02d}:{seconds:02d}"


def _cells(score: EpochScore) -> list[str]:
    epoch, elapsed_s, *values = astuple(score)
    return [str(epoch), f"{elapsed_s:.0f}", *(f"{value:.3f}" for value in values)]


def write_scores(scores: Sequence[EpochScore], path: Path) -> None:
    """Write the epochs as a Markdown table to a path that ends in .md, as CSV to any other."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".md":
            with contextlib.redirect_stdout(file):
                print_scores(scores)
        else:
            writer = csv.writer(file)
            writer.writerow(field.name for field in fields(EpochScore))
            writer.writerows(astuple(score) for score in scores)


def print_scores(scores: Sequence[EpochScore]) -> None:
    """Print the epochs as a Markdown table."""
    print_table([field.name for field in fields(EpochScore)], [_cells(score) for score in scores])


def report(scores: Sequence[EpochScore], goal: float, out: Path | None) -> int:
    """Print the table and whether the goal is met; return 0 when it is, else 1."""
    if not scores:
        print(f"goal: hmean of at least {goal:g}: no epoch ended within the time: MISSED")
        return 1
    print_scores(scores)
    if out is not None:
        write_scores(scores, out)
    best = max(scores, key=lambda score: score.hmean)
    reached_s = next((score.elapsed_s for score in scores if score.hmean >= goal), None)
    when = "never" if reached_s is None else f"after {reached_s:.0f} s"
    print(
        f"goal: hmean of at least {goal:g}: reached {when}; best {best.hmean:.3f} "
        f"in epoch {best.epoch}, last {scores[-1].hmean:.3f} after {scores[-1].elapsed_s:.0f} s: "
        + ("MISSED" if reached_s is None else "met")
    )
    return 1 if reached_s is None else 0


def main() -> int:
    """Run the benchmark that the arguments name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data-root",
        type=Path,
        default=Path(os.environ.get("OCR_RECEIPTS", DEFAULT_DATA_ROOT)),
        help="folder with images/ and jsons/; by default $OCR_RECEIPTS, else beside the checkout",
    )
    parser.add_argument("--max-minutes", type=float, default=20.0, help="time for the training")
    parser.add_argument("--out", type=Path, help="file for the table, .csv or .md")
    parser.add_argument("--overfit", action="store_true", help="overfit 8 synthetic receipts")
    parser.add_argument("overrides", nargs="*", help="further Hydra overrides")
    arguments = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    if arguments.overfit:
        scores = overfit_synthetic_receipts(arguments.overrides)
        return report(scores, HMEAN_GOAL_OVERFIT, arguments.out)
    if not arguments.data_root.is_dir():
        print(f"skipped: {arguments.data_root} with the real receipts is not there")
        return 0
    scores = learn_real_receipts(
        arguments.data_root.resolve(), arguments.max_minutes, arguments.overrides
    )
    return report(scores, HMEAN_GOAL_REAL, arguments.out)


if __name__ == "__main__":
    sys.exit(main())
