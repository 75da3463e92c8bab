"""The LightningModule that trains and evaluates a DBNet text detector."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias, TypedDict

import torch
from lightning import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from typing_extensions import override

from ocr.data.batch import DetectionBatch
from ocr.models.dbnet import DBNet
from ocr.models.head import DetectionMaps
from ocr.models.losses import DetectionLoss, DetectionLosses
from ocr.models.metric import DetectionMetric, DetectionScores, Polygon
from ocr.models.postprocessing import BoxExtractor, Detection

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
SchedulerFactory = Callable[..., LRScheduler]
MetricEvery = Literal["epoch", "batch"]
Pages: TypeAlias = Sequence[Sequence[Polygon]]


class PagePrediction(TypedDict):
    """The text found on one page, in pixels of the network's input."""

    image_path: str
    detections: list[Detection]


class TextDetector(LightningModule):
    """DBNet with its loss, post-processing, metric and optimizer.

    Logs `train/loss` and its three terms at each step, and `val/loss`, `val/precision`,
    `val/recall` and `val/hmean` (`test/…` alike) once an epoch.

    Args:
        model: the network.
        loss: the training criterion.
        postprocessor: probability map → text regions.
        metric: counts regions; the validation and the test stage each get a copy.
        optimizer: makes the optimizer from the parameters, such as a partial of AdamW.
        scheduler: makes the learning-rate schedule, called as
            `scheduler(optimizer, total_steps=N)` with the number of optimizer steps of the whole
            training, such as a partial of OneCycleLR; None keeps the rate constant. It is stepped
            after each optimizer step.
        metric_every: `epoch` logs the scores once an epoch; `batch` scores each batch by itself as
            well and logs `val/batch_hmean` and its two ratios at every step, which matches all
            regions a second time.
        channels_last: keep weights and images in the channels-last memory format, in which
            convolutions are faster on CPUs and on GPUs with tensor cores.
    """

    def __init__(
        self,
        *,
        model: DBNet,
        loss: DetectionLoss,
        postprocessor: BoxExtractor,
        metric: DetectionMetric,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        metric_every: MetricEvery = "epoch",
        channels_last: bool = True,
    ) -> None:
        super().__init__()
        if metric_every not in ("epoch", "batch"):
            raise ValueError(f"metric_every={metric_every!r} must be 'epoch' or 'batch'")
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.model = model.to(memory_format=self.memory_format)
        self.loss = loss
        self.postprocessor = postprocessor
        self.val_metric = metric
        self.test_metric = copy.deepcopy(metric)
        self.batch_metric = copy.deepcopy(metric)
        self.metric_every = metric_every
        self.optimizer_factory = optimizer
        self.scheduler_factory = scheduler

    @override
    def forward(self, images: Tensor) -> DetectionMaps:
        """Return the three maps (B, H, W) of normalised images (B, 3, H, W)."""
        maps: DetectionMaps = self.model(images.contiguous(memory_format=self.memory_format))
        return maps

    @override
    def training_step(self, batch: DetectionBatch, batch_idx: int) -> Tensor:
        """Return the total loss of a batch."""
        losses: DetectionLosses = self.loss(self(batch["images"]), batch)
        self.log_dict(
            {
                "train/loss": losses.total,
                "train/probability_loss": losses.probability,
                "train/threshold_loss": losses.threshold,
                "train/binary_loss": losses.binary,
            },
            batch_size=len(batch["images"]),
        )
        return losses.total

    @override
    def validation_step(self, batch: DetectionBatch, batch_idx: int) -> None:
        """Count a batch's regions and log its loss."""
        self._evaluate(batch, self.val_metric, "val")

    @override
    def test_step(self, batch: DetectionBatch, batch_idx: int) -> None:
        """Count a batch's regions and log its loss."""
        self._evaluate(batch, self.test_metric, "test")

    @override
    def predict_step(self, batch: DetectionBatch, batch_idx: int) -> list[PagePrediction]:
        """Return the text regions of each page of a batch."""
        pages = self.detect(batch["images"])
        return [
            PagePrediction(image_path=path, detections=detections)
            for path, detections in zip(batch["image_paths"], pages, strict=True)
        ]

    def detect(self, images: Tensor) -> list[list[Detection]]:
        """Return the text regions of each of the normalised images (B, 3, H, W)."""
        images = images.contiguous(memory_format=self.memory_format)
        return self._regions(self.model.predict_probability(images))

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_scores(self.val_metric, "val")

    @override
    def on_test_epoch_end(self) -> None:
        self._log_scores(self.test_metric, "test")

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimizer and, where there is one, its schedule by steps.

        Raises:
            ValueError: a schedule is wanted but the number of training steps has no limit.
        """
        optimizer = self.optimizer_factory(self.parameters())
        if self.scheduler_factory is None:
            return optimizer
        total_steps = self.trainer.estimated_stepping_batches
        if math.isinf(total_steps):
            raise ValueError(
                "a learning-rate schedule needs trainer.max_epochs or trainer.max_steps; "
                "set one of them, or the model's scheduler to null"
            )
        scheduler = self.scheduler_factory(optimizer, total_steps=int(total_steps))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def log_batch_scores(self, predictions: Pages, annotations: Pages, stage: str) -> None:
        """Score one batch of this rank and log the values at this step.

        Args:
            predictions: for each page the polygons (N, 2) found.
            annotations: for each page the polygons (N, 2) annotated.
            stage: prefix of the names, `val` or `test`.
        """
        self.batch_metric.reset()
        # Calling a metric gives the value of these pages without waiting for other ranks.
        scores: DetectionScores = self.batch_metric(predictions, annotations)
        self.log_dict(
            {
                f"{stage}/batch_precision": scores["precision"],
                f"{stage}/batch_recall": scores["recall"],
                f"{stage}/batch_hmean": scores["hmean"],
            },
            on_step=True,
            on_epoch=False,
            batch_size=len(annotations),
        )

    def _evaluate(self, batch: DetectionBatch, metric: DetectionMetric, stage: str) -> None:
        maps = self(batch["images"])
        losses: DetectionLosses = self.loss(maps, batch)
        pages = self._regions(torch.sigmoid(maps.probability_logits))
        predictions = [[detection.polygon for detection in detections] for detections in pages]
        metric.update(predictions, batch["polygons"])
        if self.metric_every == "batch":
            self.log_batch_scores(predictions, batch["polygons"], stage)
        self.log(
            f"{stage}/loss",
            losses.total,
            batch_size=len(batch["images"]),
            prog_bar=True,
            sync_dist=True,
        )

    def _regions(self, probability: Tensor) -> list[list[Detection]]:
        pages = probability.float().cpu().numpy()
        return [self.postprocessor(page) for page in pages]

    def _log_scores(self, metric: DetectionMetric, stage: str) -> None:
        # compute() has summed the counts of all ranks, so the values need no further reduction.
        scores = metric.compute()
        self.log_dict(
            {
                f"{stage}/precision": scores["precision"],
                f"{stage}/recall": scores["recall"],
                f"{stage}/hmean": scores["hmean"],
            },
            prog_bar=True,
        )
        metric.reset()
