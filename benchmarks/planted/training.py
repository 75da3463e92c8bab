"""The training that causes are planted in: a small network that classifies noise.

Every part that a cause can sit in is there and cheap: dataset, transforms, collate function, step,
metric, logger, checkpoint. A cause replaces one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import LightningModule
from torch import nn
from torch.utils.data import DataLoader, Dataset, default_collate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning.pytorch import Callback

    from benchmarks.planted.simulated_device import SimulatedDevice

IMAGE_SIZE = 64
CLASSES = 10


class NoiseImages(Dataset[tuple[torch.Tensor, int]]):
    """Images of noise with a class each; `transforms` are applied one after the other."""

    def __init__(self, count: int, transforms: Sequence[Callable[[Any], Any]] = ()) -> None:
        """Hold `count` images in memory, as bytes."""
        generator = torch.Generator().manual_seed(0)
        shape = (count, 3, IMAGE_SIZE, IMAGE_SIZE)
        self.images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        self.transforms = tuple(transforms)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image: Any = self.images[index]
        for transform in self.transforms:
            image = transform(image)
        return image.float() / 255, index % CLASSES


class Classifier(LightningModule):
    """Three convolutions and a linear layer; subclasses plant causes in its hooks."""

    def __init__(self, width: int = 32) -> None:
        """Make the network; `width` channels in each layer."""
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(width, CLASSES)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores of each class, shape (batch, classes)."""
        scores: torch.Tensor = self.head(self.backbone(images))
        return scores

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss, which is logged."""
        images, labels = batch
        loss: torch.Tensor = self.loss(self(images), labels)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Log the loss."""
        images, labels = batch
        self.log("val/loss", self.loss(self(images), labels))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Plain gradient descent."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


@dataclass(kw_only=True)
class Training:
    """What a case trains: everything that `Trainer.fit` takes, and what the Trainer is made of.

    `profiler` is given to the profiler callback, `device` stands in for an accelerator.
    """

    module: LightningModule = field(default_factory=Classifier)
    train: Any = None
    validation: Any = None
    epochs: int = 2
    callbacks: Sequence[Callback] = ()
    trainer: dict[str, Any] = field(default_factory=dict)
    profiler: dict[str, Any] = field(default_factory=dict)
    device: SimulatedDevice | None = None

    def __post_init__(self) -> None:
        if self.train is None:
            self.train = loader(960)
        if self.validation is None:
            self.validation = loader(480)


def loader(
    count: int,
    *,
    transforms: Sequence[Callable[[Any], Any]] = (),
    dataset: Dataset[Any] | None = None,
    collate: Callable[[list[Any]], Any] = default_collate,
    batch_size: int = 8,
    **settings: Any,
) -> DataLoader[Any]:
    """Return a loader of `count` images of noise, or of another dataset."""
    return DataLoader(
        NoiseImages(count, transforms) if dataset is None else dataset,
        batch_size=batch_size,
        collate_fn=collate,
        **settings,
    )
