"""Trainings of the receipt pipeline that the benchmarks time, with a network that costs little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightning
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.nn import functional

from ocr.models.head import DetectionMaps
from ocr.models.losses import DetectionLosses
from ocr.train import config_dir
from ocr_baseline import PerformanceProfilerCallback
from ocr_baseline.records import reader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lightning.pytorch import Callback, Trainer

    from ocr.data.batch import DetectionBatch
    from ocr.data.module import ReceiptDataModule
    from ocr_baseline.model.run import Run

FULL_PAGES = (
    # 640 px with about a hundred words, as on real receipts.
    "data.synthetic.page.size_px=640",
    "data.synthetic.page.items_min=12",
    "data.synthetic.page.items_max=16",
    "data.transforms.image_size=640",
    "data.transforms.augmentation=null",
)
_QUIET = (
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "trainer.enable_checkpointing=false",
    "trainer.enable_model_summary=false",
    "trainer.num_sanity_val_steps=0",
)
_STEADY = (
    "model.scheduler=null",
    # The filter stays as it is, so that every epoch finds the same regions.
    "model.optimizer.lr=0.0",
    "model.optimizer.weight_decay=0.0",
    "model.channels_last=false",
)


class DarkWordFilter(nn.Module):
    """Finds about as many regions as there are words, for a fraction of a real network's cost.

    What is darker than its surroundings in the green channel, smeared along the line and scaled to
    a logit.
    """

    def __init__(self) -> None:
        """Make the two parameters that the training moves by nothing."""
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(20.0))
        self.least_darkness = nn.Parameter(torch.tensor(0.4))

    def forward(self, images: Tensor) -> DetectionMaps:
        """Return maps (B, H, W) of images (B, 3, H, W); only the logits mean anything."""
        logits = self.predict_logits(images)
        return DetectionMaps(logits, logits, logits)

    def predict_probability(self, images: Tensor) -> Tensor:
        """Return the probability map (B, H, W)."""
        return torch.sigmoid(self.predict_logits(images))

    def predict_logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, H, W); only the last step has a gradient."""
        return self.gain * (self._darkness(images) - self.least_darkness)

    @torch.no_grad()
    def _darkness(self, images: Tensor) -> Tensor:
        gray = functional.avg_pool2d(images[:, 1:2], 2)
        paper = functional.avg_pool2d(functional.avg_pool2d(gray, 8), 3, 1, 1)
        paper = functional.interpolate(paper, scale_factor=8, mode="nearest")
        darkness = functional.avg_pool2d(paper - gray, (1, 5), 1, (0, 2))
        return functional.interpolate(darkness, scale_factor=2, mode="bilinear").squeeze(1)


class PlainLoss(nn.Module):
    """Cross-entropy of some pixels: the configured loss takes longer than the filter."""

    def forward(self, maps: DetectionMaps, batch: DetectionBatch) -> DetectionLosses:
        """Return it as the total."""
        loss = functional.binary_cross_entropy_with_logits(
            maps.probability_logits[:, ::4, ::4], batch["shrink_maps"][:, ::4, ::4]
        )
        none = loss.new_zeros(())
        return DetectionLosses(loss, loss, none, none)


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training that is ready to run once."""

    trainer: Trainer
    model: Any
    data: ReceiptDataModule

    def fit(self) -> None:
        """Train and validate."""
        self.trainer.fit(self.model, datamodule=self.data)


def make_training(
    folder: Path, overrides: Sequence[str], callbacks: Sequence[Callback], *, is_light: bool
) -> Training:
    """Compose the receipt pipeline with some overrides.

    Args:
        folder: For the data, which is made once, and for the logs.
        overrides: Of the application's configuration.
        callbacks: All that the trainer gets.
        is_light: With the filter and the loss above instead of the configured ones.
    """
    quiet = (*_QUIET, *_STEADY) if is_light else _QUIET
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        cfg = compose(
            "train", overrides=[*quiet, f"paths.data_dir='{folder / 'data'}'", *overrides]
        )
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)
    if is_light:
        cfg.model.model = {"_target_": f"{__name__}.{DarkWordFilter.__name__}"}
        cfg.model.loss = {"_target_": f"{__name__}.{PlainLoss.__name__}"}
    return Training(
        trainer=instantiate(
            cfg.trainer,
            callbacks=list(callbacks),
            logger=CSVLogger(folder / "logs"),
            default_root_dir=str(folder),
        ),
        model=instantiate(cfg.model),
        data=instantiate(cfg.data),
    )


def record_training(folder: Path, overrides: Sequence[str], operations: Sequence[str]) -> Run:
    """Train the light network once with the profiler; return what it recorded."""
    records = folder / "records"
    profiler = PerformanceProfilerCallback(operations=operations, output_dir=records)
    make_training(folder, overrides, [profiler], is_light=True).fit()
    return reader.load(records)
