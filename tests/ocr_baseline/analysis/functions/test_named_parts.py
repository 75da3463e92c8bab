"""Everything that a training is made of is named in its line by sampling, with nothing named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import Logger
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, default_collate
from torchmetrics import Metric
from torchvision.transforms import Compose, v2

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback, read
from ocr_baseline.model.document import Baseline

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PART_S = 0.008
BATCHES = 12


def spend() -> None:
    """Last as long as a part does; none is found by chance, and none missed by it."""
    end_s = time.perf_counter() + PART_S
    while time.perf_counter() < end_s:
        pass


class OldBlur:
    def __call__(self, sample: Any) -> Any:
        spend()
        return sample


class NewNoise(v2.Transform):  # type: ignore[misc]  # torchvision has no types
    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        spend()
        return inpt


class Jitter:
    def __call__(self, sample: Any) -> Any:
        spend()
        return sample


class OwnPipeline:
    def __init__(self) -> None:
        self.transforms = [Jitter()]

    def __call__(self, sample: Any) -> Any:
        for transform in self.transforms:
            sample = transform(sample)
        return sample


class _Samples(Dataset[Any]):
    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return BATCHES


class Photos(_Samples):
    def __getitem__(self, index: int) -> Any:
        spend()
        return self.transform(torch.ones(4))


class Scans(_Samples):
    def __getitem__(self, index: int) -> Any:
        spend()
        return self.transform(torch.ones(4))


class Pages(_Samples):
    def __getitem__(self, index: int) -> Any:
        spend()
        return self.transform(torch.ones(4))


class WholeBatches(_Samples):
    def __getitem__(self, index: int) -> Any:
        return torch.ones(4)

    def __getitems__(self, indices: list[int]) -> Any:
        spend()
        return [torch.ones(4) for _ in indices]


class Rows:
    def __init__(self) -> None:
        self.left = 3 * BATCHES

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self.left:
            raise StopIteration
        self.left -= 1
        spend()
        return torch.ones(4)


class StreamOfRows(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return Rows()


def padded(samples: list[Any]) -> Any:
    spend()
    return default_collate(samples)


class WordErrors(Metric):
    def update(self) -> None:
        spend()

    def compute(self) -> None:
        """Nothing is read."""


class SeenClasses(WordErrors):
    def update(self) -> None:
        spend()


class Watches(Callback):
    def __init__(self) -> None:
        self.seen = SeenClasses()

    def on_train_batch_end(self, *args: Any) -> None:
        self.seen.update()


class Experiment:
    def log_image(self) -> None:
        spend()


class OwnLogger(Logger):
    name = version = "own"
    experiment = Experiment()

    def log_metrics(self, *args: Any, **settings: Any) -> None:
        """Nothing is kept."""

    def log_hyperparams(self, *args: Any, **settings: Any) -> None:
        """Nothing is kept."""


class Matched(nn.Module):
    def forward(self, values: Any) -> Any:
        spend()
        return values.mean()


class Model(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.criterion = Matched()
        self.by_name = {"words": WordErrors()}

    def boxes_of(self, values: Any) -> Any:
        spend()
        return values

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        values = self.boxes_of(self.layer(batch))
        self.by_name["words"].update()
        self.logger.experiment.log_image()  # type: ignore[union-attr]  # a logger is given
        return self.criterion(values)

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.layer(batch)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def reported(folder: Path, workers: int) -> Baseline:
    settings: dict[str, Any] = {"batch_size": 3, "num_workers": workers}
    blurred, noisy, own = Compose([OldBlur()]), v2.Compose([NewNoise()]), OwnPipeline()
    train: Any = ConcatDataset([Photos(blurred), Scans(noisy), Pages(own)])
    callbacks = [
        Watches(),
        PerformanceProfilerCallback(output_dir=folder, profile_memory=False),
        BaselineReportCallback(output_dir=folder, summary=False),
    ]
    Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=OwnLogger(),
        callbacks=callbacks,
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
    ).fit(
        Model(),
        DataLoader(train, shuffle=True, collate_fn=padded, **settings),
        [
            DataLoader(StreamOfRows(), batch_size=3, num_workers=min(workers, 1)),
            DataLoader(WholeBatches(None), **settings),
        ],
    )
    return read(folder)


LOADER_PARTS = {
    "train": {
        *("Photos.__getitem__", "Scans.__getitem__", "Pages.__getitem__"),
        *("OldBlur.__call__", "NewNoise.transform", "Jitter.__call__", "padded"),
    },
    "validation": {"Rows.__next__", "WholeBatches.__getitems__"},
}
STEP_PARTS = {
    "forward": {
        *("WordErrors.update", "Experiment.log_image", "Matched.forward", "Model.boxes_of"),
    },
    "callbacks": {"Watches.on_train_batch_end", "SeenClasses.update"},
}


def test_the_parts_of_loader_step_and_callbacks_are_named_in_their_lines(tmp_path: Path) -> None:
    baseline = reported(tmp_path, workers=0)
    met: dict[tuple[str, str], set[str]] = {
        (phase.name, line.name): {function.name for function in line.functions}
        for phase in baseline.whole_phases
        for line in phase.breakdown
    }
    for phase, parts in LOADER_PARTS.items():
        assert parts <= met[phase, "data_wait"]
    for line, parts in STEP_PARTS.items():
        assert parts <= met["train", line]


def test_the_parts_of_a_loader_are_named_in_its_workers(tmp_path: Path) -> None:
    baseline = reported(tmp_path, workers=2)
    met = {
        workers.phase: {function.name for function in workers.functions}
        for workers in baseline.workers
    }
    assert all(parts <= met[phase] for phase, parts in LOADER_PARTS.items())
