"""Receipts as a Lightning data module: real ones from a folder, synthetic ones made on demand."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from typing_extensions import override

from ocr.data.annotations import OnDegenerate, PageAnnotation, load_annotations, read_image
from ocr.data.batch import DetectionCollate, DetectionSample
from ocr.data.errors import AnnotationError
from ocr.data.synthetic import SyntheticSettings, generate_once
from ocr.data.target_maps import Polygon
from ocr.data.transforms import DetectionTransforms

Transform = Callable[[NDArray[np.uint8], Sequence[Polygon]], tuple[Tensor, list[Polygon]]]


class ReceiptDataset(Dataset[DetectionSample]):
    """Pages that are read and transformed when they are asked for."""

    def __init__(self, pages: Sequence[PageAnnotation], transform: Transform) -> None:
        self._pages = pages
        self._transform = transform

    def __len__(self) -> int:
        return len(self._pages)

    @override
    def __getitem__(self, index: int) -> DetectionSample:
        """Return a page; raise `AnnotationError` naming the image that can't be decoded."""
        page = self._pages[index]
        image, polygons = self._transform(read_image(page.image_path), page.polygons)
        return DetectionSample(image=image, polygons=polygons, image_path=str(page.image_path))


class ReceiptDataModule(LightningDataModule):
    """Loaders of `DetectionBatch` over the folder layout that `ocr.data.synthetic` writes.

    Args:
        root: Folder with `images/{train,val}` and `jsons/{train,val}.json`. Where there is no
            `jsons/test.json`, the test split is the validation split. With `synthetic`, the folder
            that keeps the generated data sets, each in a folder of its own.
        transforms: From pages to network input.
        collate: From samples to batches with target maps.
        synthetic: The data set to generate under `root` when it isn't there yet; None for real
            receipts.
        on_degenerate: `drop` words without area with a warning, or `fail`.
        batch_size: Pages in a batch of each loader, on each device.
        num_workers: Processes of each loader; 0 loads in the main process.
        persistent_workers: Keep the processes between epochs.
        pin_memory: Put batches in page-locked memory, for GPUs.
        max_train_images: Use only so many, the first of the file.
        max_eval_images: Likewise, of the validation and of the test split.
        seed: Of the order of the training pages and of the workers' random numbers.

    Raises:
        ValueError: `collate` caches target maps that no later epoch could use.
    """

    def __init__(
        self,
        *,
        root: str | Path,
        transforms: DetectionTransforms,
        collate: DetectionCollate,
        synthetic: SyntheticSettings | None = None,
        on_degenerate: OnDegenerate = "drop",
        batch_size: int = 4,
        num_workers: int = 2,
        persistent_workers: bool = True,
        pin_memory: bool = False,
        max_train_images: int | None = None,
        max_eval_images: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _check_cache(
            collate,
            pages_vary=transforms.varies_training_pages,
            workers_end=num_workers > 0 and not persistent_workers,
        )
        self.batch_size = batch_size
        self._root = Path(root)
        self._transforms = transforms
        self._collate = collate
        self._synthetic = synthetic
        self._on_degenerate: OnDegenerate = on_degenerate
        self._num_workers = num_workers
        self._persistent_workers = persistent_workers
        self._pin_memory = pin_memory
        self._max_train_images = max_train_images
        self._max_eval_images = max_eval_images
        self._seed = seed
        self._datasets: dict[str, ReceiptDataset] = {}

    @property
    def data_dir(self) -> Path:
        """The folder that the pages are read from."""
        if self._synthetic is None:
            return self._root
        return self._root / self._synthetic.folder_name

    @override
    def prepare_data(self) -> None:
        """Generate the synthetic receipts, unless they are there."""
        if self._synthetic is not None:
            generate_once(self._synthetic, self.data_dir)

    @override
    def setup(self, stage: str) -> None:
        """Read the annotations that the stage needs; raise `AnnotationError` for unusable ones."""
        if not self.data_dir.is_dir():
            raise AnnotationError(
                f"{self.data_dir}: no such folder; data.root must name one with images/train, "
                "images/val, jsons/train.json and jsons/val.json"
            )
        if stage == "fit":
            self._datasets["train"] = self._read("train", self._transforms.train)
        if stage in ("fit", "validate"):
            self._datasets["val"] = self._read("val", self._transforms.eval)
        if stage in ("test", "predict"):
            self._datasets["test"] = self._read(self._test_split(), self._transforms.eval)

    @override
    def train_dataloader(self) -> DataLoader[DetectionSample]:
        """Return the training pages in random order."""
        return self._loader("train", shuffle=True)

    @override
    def val_dataloader(self) -> DataLoader[DetectionSample]:
        """Return the validation pages in order."""
        return self._loader("val", shuffle=False)

    @override
    def test_dataloader(self) -> DataLoader[DetectionSample]:
        """Return the test pages in order."""
        return self._loader("test", shuffle=False)

    @override
    def predict_dataloader(self) -> DataLoader[DetectionSample]:
        """Return the test pages in order."""
        return self._loader("test", shuffle=False)

    def _test_split(self) -> str:
        return "test" if (self.data_dir / "jsons" / "test.json").is_file() else "val"

    def _read(self, split: str, transform: Transform) -> ReceiptDataset:
        json_path = self.data_dir / "jsons" / f"{split}.json"
        pages = load_annotations(json_path, self.data_dir / "images" / split, self._on_degenerate)
        limit = self._max_train_images if split == "train" else self._max_eval_images
        if not pages[:limit]:
            raise AnnotationError(f"{json_path}: there are no pages in it, or a limit of 0 is set")
        return ReceiptDataset(pages[:limit], transform)

    def _loader(self, split: str, *, shuffle: bool) -> DataLoader[DetectionSample]:
        # A trainer that builds its loaders anew in each epoch still gets a new order.
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        return DataLoader(
            self._datasets[split],
            batch_size=self.batch_size,
            shuffle=shuffle,
            num_workers=self._num_workers,
            collate_fn=self._collate,
            pin_memory=self._pin_memory,
            persistent_workers=self._persistent_workers and self._num_workers > 0,
            generator=torch.Generator().manual_seed(self._seed + epoch),
        )


def _check_cache(collate: DetectionCollate, *, pages_vary: bool, workers_end: bool) -> None:
    if collate.cache != "none" and pages_vary:
        raise ValueError(
            f"data.collate.cache={collate.cache} needs polygons that are the same in every epoch: "
            "set data.transforms.augmentation=null, or data.collate.cache=none"
        )
    if collate.cache == "memory" and workers_end:
        raise ValueError(
            "data.collate.cache=memory is lost with its worker at the end of each epoch: set "
            "data.persistent_workers=true, or data.collate.cache=disk"
        )
