from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.utilities.data import extract_batch_size
from omegaconf import DictConfig
from omegaconf.errors import MissingMandatoryValue
from torch.utils.data import DataLoader

from ocr.data.batch import DetectionBatch, DetectionCollate, DetectionSample
from ocr.data.errors import AnnotationError
from ocr.data.module import ReceiptDataModule
from ocr.data.receipt_renderer import PageSettings
from ocr.data.synthetic import SyntheticSettings, generate_once
from ocr.data.target_maps import make_target_maps
from ocr.data.transforms import Augmentation, DetectionTransforms

pytestmark = pytest.mark.slow

Compose = Callable[..., DictConfig]

REPOSITORY = Path(__file__).resolve().parents[3]
RECEIPTS = Path(os.environ.get("OCR_RECEIPTS", REPOSITORY.parent / "shared" / "data" / "receipts"))
SETTINGS = SyntheticSettings(
    train_count=5, val_count=3, page=PageSettings(size_px=320, items_max=4)
)


@pytest.fixture(scope="module")
def receipts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of real receipts' layout."""
    root = tmp_path_factory.mktemp("receipts") / "root"
    generate_once(SETTINGS, root)
    return root


def make_module(root: Path, **options: Any) -> ReceiptDataModule:
    defaults: dict[str, Any] = {
        "transforms": DetectionTransforms(image_size=320, augmentation=Augmentation()),
        "collate": DetectionCollate(),
        "batch_size": 2,
        "num_workers": 0,
    }
    return ReceiptDataModule(root=root, **(defaults | options))


def batches_of(loader: DataLoader[DetectionSample]) -> list[DetectionBatch]:
    return list(loader)


def names_in(batches: list[DetectionBatch]) -> list[str]:
    return [Path(path).name for batch in batches for path in batch["image_paths"]]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_each_page_comes_once_with_its_maps_and_polygons(receipts: Path, num_workers: int) -> None:
    module = make_module(receipts, num_workers=num_workers)
    module.setup("fit")
    batches = batches_of(module.train_dataloader())
    assert [len(batch["images"]) for batch in batches] == [2, 2, 1]
    assert sorted(names_in(batches)) == [f"receipt_{index:05d}.jpg" for index in range(5)]
    for batch in batches:
        size = len(batch["images"])
        assert batch["images"].shape == (size, 3, 320, 320)
        assert batch["images"].dtype == torch.float32
        maps = ("shrink_maps", "shrink_masks", "threshold_maps", "threshold_masks")
        for name in maps:
            assert batch[name].shape == (size, 320, 320)  # type: ignore[literal-required]  # one of four
            assert batch[name].dtype == torch.float32  # type: ignore[literal-required]  # one of four
        assert len(batch["polygons"]) == len(batch["image_paths"]) == size
        assert all(polygon.dtype == np.float32 for page in batch["polygons"] for polygon in page)


def test_workers_and_the_main_process_load_the_same_validation_pages(receipts: Path) -> None:
    both = []
    for num_workers in (0, 2):
        module = make_module(receipts, num_workers=num_workers)
        module.setup("validate")
        both.append(batches_of(module.val_dataloader()))
    for one, other in zip(*both, strict=True):
        assert torch.equal(one["images"], other["images"])
        assert torch.equal(one["threshold_maps"], other["threshold_maps"])
        np.testing.assert_equal(one["polygons"], other["polygons"])
        assert one["image_paths"] == other["image_paths"]


def test_the_maps_of_a_batch_are_those_of_its_polygons(receipts: Path) -> None:
    module = make_module(receipts, collate=DetectionCollate(shrink_ratio=0.6, threshold_max=0.9))
    module.setup("fit")
    batch = batches_of(module.train_dataloader())[0]
    for index, polygons in enumerate(batch["polygons"]):
        maps = make_target_maps(polygons, 320, 320, shrink_ratio=0.6, threshold_max=0.9)
        np.testing.assert_array_equal(batch["shrink_maps"][index], maps.shrink_map)
        np.testing.assert_array_equal(batch["shrink_masks"][index], maps.shrink_mask)
        np.testing.assert_array_equal(batch["threshold_maps"][index], maps.threshold_map)
        np.testing.assert_array_equal(batch["threshold_masks"][index], maps.threshold_mask)


def test_target_maps_are_made_by_a_function_that_can_be_replaced_by_its_dotted_name(
    receipts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return make_target_maps(*args, **kwargs)

    module = make_module(receipts)
    module.setup("validate")
    monkeypatch.setattr("ocr.data.target_maps.make_target_maps", counted)
    batches_of(module.val_dataloader())
    assert len(calls) == 3


def test_lightning_reads_the_batch_size(receipts: Path) -> None:
    module = make_module(receipts)
    module.setup("fit")
    assert [extract_batch_size(batch) for batch in batches_of(module.train_dataloader())] == [
        2,
        2,
        1,
    ]


def test_the_training_order_changes_with_the_epoch_and_repeats_with_the_seed(
    receipts: Path,
) -> None:
    orders = []
    for seed in (1, 1, 2):
        module = make_module(receipts, seed=seed)
        module.setup("fit")
        loader = module.train_dataloader()
        orders.append([names_in(batches_of(loader)) for _ in range(4)])
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert len({tuple(epoch) for epoch in orders[0]}) > 1


def test_limits_take_the_first_pages(receipts: Path) -> None:
    module = make_module(receipts, max_train_images=2, max_eval_images=1)
    module.setup("fit")
    names = sorted(names_in(batches_of(module.train_dataloader())))
    assert names == ["receipt_00000.jpg", "receipt_00001.jpg"]
    assert names_in(batches_of(module.val_dataloader())) == ["receipt_00000.jpg"]


def test_the_test_split_is_the_validation_split_unless_there_is_one(
    receipts: Path, tmp_path: Path
) -> None:
    shutil.copytree(receipts, tmp_path / "root")
    module = make_module(tmp_path / "root")
    module.setup("test")
    (first, *_) = batches_of(module.test_dataloader())[0]["image_paths"]
    assert Path(first).parent.name == "val"
    shutil.copytree(tmp_path / "root" / "images" / "train", tmp_path / "root" / "images" / "test")
    shutil.copy(
        tmp_path / "root" / "jsons" / "train.json", tmp_path / "root" / "jsons" / "test.json"
    )
    module.setup("predict")
    (first, *_) = batches_of(module.predict_dataloader())[0]["image_paths"]
    assert Path(first).parent.name == "test"


def test_a_missing_folder_is_an_error_that_says_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"nowhere: no such folder; data\.root must"):
        make_module(tmp_path / "nowhere").setup("fit")


def test_a_split_without_pages_is_an_error_that_names_its_file(receipts: Path) -> None:
    with pytest.raises(AnnotationError, match=r"train\.json: there are no pages"):
        make_module(receipts, max_train_images=0).setup("fit")


def test_a_broken_image_is_an_error_that_names_it(receipts: Path, tmp_path: Path) -> None:
    shutil.copytree(receipts, tmp_path / "root")
    (tmp_path / "root" / "images" / "val" / "receipt_00001.jpg").write_bytes(b"broken")
    module = make_module(tmp_path / "root")
    module.setup("validate")
    with pytest.raises(AnnotationError, match=r"receipt_00001\.jpg can't be decoded"):
        batches_of(module.val_dataloader())


def test_synthetic_receipts_are_made_once_below_the_root(tmp_path: Path) -> None:
    module = make_module(tmp_path, synthetic=SETTINGS)
    module.prepare_data()
    made = module.data_dir / "jsons" / "train.json"
    before = made.stat().st_mtime_ns
    make_module(tmp_path, synthetic=SETTINGS).prepare_data()
    assert made.stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == [module.data_dir.name]
    module.setup("fit")
    assert len(names_in(batches_of(module.train_dataloader()))) == 5


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"shrink_ratio": 0.0}, "shrink_ratio"),
        ({"shrink_ratio": 1.0}, "shrink_ratio"),
        ({"threshold_min": 0.8}, "threshold_min"),
        ({"threshold_max": 1.2}, "threshold_max"),
    ],
)
def test_impossible_target_maps_are_refused_by_name(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        DetectionCollate(**changes)


class Looker(LightningModule):
    """Counts the pages that it is shown in each stage."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = {"train": 0, "val": 0, "test": 0}

    def training_step(self, batch: DetectionBatch, batch_idx: int) -> torch.Tensor:
        self.seen["train"] += len(batch["images"])
        return self.weight * batch["images"].mean()

    def validation_step(self, batch: DetectionBatch, batch_idx: int) -> None:
        self.seen["val"] += len(batch["images"])

    def test_step(self, batch: DetectionBatch, batch_idx: int) -> None:
        self.seen["test"] += len(batch["images"])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    return Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=1,
        default_root_dir=tmp_path,
    )


def test_a_trainer_makes_and_sees_the_synthetic_receipts(tmp_path: Path, trainer: Trainer) -> None:
    looker, module = Looker(), make_module(tmp_path / "data", synthetic=SETTINGS)
    trainer.fit(looker, datamodule=module)
    trainer.test(looker, datamodule=module, verbose=False)
    assert looker.seen == {"train": 10, "val": 6, "test": 3}


def test_the_synthetic_config_is_a_working_data_module(
    compose_app: Compose, tmp_path: Path
) -> None:
    cfg = compose_app(
        "data=synthetic",
        f"paths.data_dir='{tmp_path}'",
        "data.num_workers=0",
        "data.synthetic.train_count=2",
        "data.synthetic.val_count=1",
    )
    module = hydra.utils.instantiate(cfg.data)
    module.prepare_data()
    module.setup("fit")
    (batch,) = batches_of(module.val_dataloader())
    assert batch["images"].shape == (1, 3, 320, 320)
    assert len(batch["polygons"][0]) > 20


def test_the_receipts_config_asks_for_its_root(compose_app: Compose) -> None:
    with pytest.raises(MissingMandatoryValue, match="root"):
        _ = compose_app("data=receipts").data.root


@pytest.mark.skipif(not RECEIPTS.is_dir(), reason=f"no real receipts at {RECEIPTS}")
def test_the_receipts_config_loads_real_receipts(compose_app: Compose) -> None:
    cfg = compose_app("data=receipts", f"data.root='{RECEIPTS}'", "data.num_workers=0")
    module = hydra.utils.instantiate(cfg.data)
    module.setup("fit")
    assert len(module.train_dataloader().dataset) == 120
    assert len(module.val_dataloader().dataset) == 40
    batch = next(iter(module.train_dataloader()))
    assert batch["images"].shape == (4, 3, 640, 640)
    assert all(len(polygons) > 5 for polygons in batch["polygons"])
    assert 0.001 < batch["shrink_maps"].mean() < 0.2
