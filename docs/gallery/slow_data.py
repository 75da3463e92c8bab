"""A training that waits for its data: an augmentation goes over its images pixel by pixel.

`python slow_data.py FOLDER` leaves a report in FOLDER. With `--fail` an exception ends the second
epoch.
"""

import argparse

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader, Dataset

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

IMAGES, SIDE_PX, CLASSES = 480, 32, 10


def salt_and_pepper(image: torch.Tensor) -> torch.Tensor:
    """Return the image with every third pixel black or white."""
    noisy = image.clone()
    for index in range(0, SIDE_PX * SIDE_PX, 3):
        noisy[:, index // SIDE_PX, index % SIDE_PX] = float(index % 2)
    return noisy


class Images(Dataset[tuple[torch.Tensor, int]]):
    """Random images, each augmented when it is read."""

    def __len__(self) -> int:
        return IMAGES

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """Return an image (3, S, S) and its class."""
        image = torch.rand(3, SIDE_PX, SIDE_PX, generator=torch.Generator().manual_seed(index))
        return salt_and_pepper(image), index % CLASSES


class Classifier(LightningModule):
    """A small convolutional network."""

    def __init__(self, *, fails: bool) -> None:
        super().__init__()
        self.fails = fails
        self.network = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(4),
            torch.nn.Flatten(), torch.nn.Linear(128, CLASSES),
        )  # fmt: skip

    def loss(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the cross entropy of a batch."""
        images, classes = batch
        return torch.nn.functional.cross_entropy(self.network(images), classes)

    def training_step(
        self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int
    ) -> torch.Tensor:
        """Return the loss; fail halfway through the second epoch where that is asked for."""
        if self.fails and self.current_epoch == 1 and batch_idx == 30:
            raise RuntimeError("the loss is not a number")
        return self.loss(batch)

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        """Log the loss."""
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam over all weights."""
        return torch.optim.Adam(self.parameters())


def main() -> None:
    """Train for three epochs and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--fail", action="store_true")
    options = parser.parse_args()
    trainer = Trainer(
        max_epochs=3,
        accelerator="cpu",
        default_root_dir=options.folder,
        logger=False,
        enable_checkpointing=False,
        callbacks=[PerformanceProfilerCallback(), BaselineReportCallback()],
    )
    training, validation = (
        DataLoader(Images(), batch_size=8, num_workers=1, persistent_workers=True) for _ in range(2)
    )
    trainer.fit(Classifier(fails=options.fail), training, validation)


if __name__ == "__main__":
    main()
