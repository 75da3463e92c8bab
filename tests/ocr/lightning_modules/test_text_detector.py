"""The LightningModule in real, tiny trainings."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
from lightning import Trainer
from lightning.pytorch.loggers import CSVLogger
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader

from ocr.data.batch import DetectionBatch, DetectionCollate, DetectionSample
from ocr.lightning_modules.text_detector import MetricEvery, TextDetector
from ocr.models.dbnet import DBNet
from ocr.models.losses import DetectionLoss
from ocr.models.metric import DetectionMetric
from ocr.models.postprocessing import BoxExtractor

pytestmark = pytest.mark.slow

SIDE_PX = 64
Scheduler: TypeAlias = partial[OneCycleLR] | None


def _sample(index: int) -> DetectionSample:
    """A dark page with one bright bar, which is its text."""
    left, top = 6.0 + index, 10.0 + 4 * index
    right, bottom = left + 40, top + 18
    bar = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
    image = torch.full((3, SIDE_PX, SIDE_PX), -1.0)
    image[:, int(top) : int(bottom), int(left) : int(right)] = 1.0
    return DetectionSample(image=image, polygons=[bar], image_path=f"page_{index}.png")


def _loader(pages: int = 4, *, empty: bool = False) -> DataLoader[DetectionSample]:
    samples = [_sample(index) for index in range(pages)]
    if empty:
        samples = [
            DetectionSample(image=one.image, polygons=[], image_path=one.image_path)
            for one in samples
        ]
    return DataLoader(samples, batch_size=2, collate_fn=DetectionCollate())  # type: ignore[arg-type]  # a list is a dataset


def _detector(
    *, scheduler: Scheduler = None, lr: float = 2e-2, metric_every: MetricEvery = "epoch"
) -> TextDetector:
    torch.manual_seed(0)
    return TextDetector(
        model=DBNet(
            backbone="resnet10t",
            backbone_options={"stem_width": 16, "channels": [8, 16, 16, 16]},
            neck_channels=16,
            feature_channels=16,
        ),
        loss=DetectionLoss(),
        postprocessor=BoxExtractor(),
        metric=DetectionMetric(),
        optimizer=partial(torch.optim.AdamW, lr=lr),
        scheduler=scheduler,
        metric_every=metric_every,
    )


def _trainer(folder: Path, **options: object) -> Trainer:
    quiet: dict[str, object] = {
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "max_epochs": 1,
        "default_root_dir": folder,
    }
    return Trainer(**(quiet | options))  # type: ignore[arg-type]  # the options are of many types


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Keep maps of 64 pixels from paying for threads that they can't use."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, _one_thread: None) -> TextDetector:
    detector = _detector()
    _trainer(tmp_path_factory.mktemp("trained"), max_epochs=30).fit(detector, _loader())
    return detector


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
class TestTraining:
    def test_loss_falls_and_the_bars_are_found(self, trained: TextDetector, tmp_path: Path) -> None:
        before, after = _trainer(tmp_path), _trainer(tmp_path)
        before.validate(_detector(), _loader(), verbose=False)
        after.validate(trained, _loader(), verbose=False)
        start, end = (one.callback_metrics["val/loss"].item() for one in (before, after))
        assert end < start / 2
        assert after.callback_metrics["val/hmean"].item() == 1.0

    def test_training_and_validation_log_their_loss_and_scores(self, tmp_path: Path) -> None:
        trainer = _trainer(tmp_path)
        trainer.fit(_detector(), _loader(), _loader())
        assert set(trainer.callback_metrics) == {
            "train/loss",
            "train/probability_loss",
            "train/threshold_loss",
            "train/binary_loss",
            "val/loss",
            "val/precision",
            "val/recall",
            "val/hmean",
        }

    def test_the_test_stage_logs_under_its_own_name(self, tmp_path: Path) -> None:
        trainer = _trainer(tmp_path)
        trainer.test(_detector(), _loader(), verbose=False)
        assert set(trainer.callback_metrics) == {
            "test/loss",
            "test/precision",
            "test/recall",
            "test/hmean",
        }

    def test_pages_without_text_train_and_validate(self, tmp_path: Path) -> None:
        trainer = _trainer(tmp_path)
        trainer.fit(_detector(), _loader(empty=True), _loader(empty=True))
        assert np.isfinite(trainer.callback_metrics["train/loss"].item())
        assert trainer.callback_metrics["val/hmean"].item() == 0.0

    def test_scores_of_each_batch_are_logged_at_its_step_when_they_are_asked_for(
        self, trained: TextDetector, tmp_path: Path
    ) -> None:
        detector = _detector(metric_every="batch")
        detector.load_state_dict(trained.state_dict())
        logger = CSVLogger(tmp_path, name="", version="")
        trainer = _trainer(tmp_path, logger=logger)
        trainer.validate(detector, _loader(3), verbose=False)
        rows = list(csv.DictReader((tmp_path / "metrics.csv").open()))
        assert [row["val/batch_hmean"] for row in rows if row["val/batch_hmean"]] == ["1.0", "1.0"]
        assert trainer.callback_metrics["val/hmean"].item() == 1.0

    def test_scores_are_logged_for_epochs_or_batches_only(self) -> None:
        with pytest.raises(ValueError, match="metric_every='step' must be"):
            _detector(metric_every="step")  # type: ignore[arg-type]  # a wrong value is the point

    def test_each_epoch_is_scored_on_its_own(self, tmp_path: Path) -> None:
        detector = _detector()
        _trainer(tmp_path, max_epochs=2).fit(detector, _loader(), _loader())
        assert detector.val_metric.annotated.item() == 0

    def test_the_one_cycle_schedule_spans_the_whole_training(self, tmp_path: Path) -> None:
        detector = _detector(scheduler=partial(OneCycleLR, max_lr=5e-3))
        trainer = _trainer(tmp_path, max_epochs=3)
        trainer.fit(detector, _loader())
        (schedule,) = trainer.lr_scheduler_configs
        assert schedule.interval == "step"
        assert schedule.scheduler.state_dict()["total_steps"] == trainer.global_step == 6

    def test_a_schedule_without_an_end_is_refused_with_the_remedy(self, tmp_path: Path) -> None:
        detector = _detector(scheduler=partial(OneCycleLR, max_lr=5e-3))
        with pytest.raises(ValueError, match=r"trainer\.max_epochs or trainer\.max_steps"):
            _trainer(tmp_path, max_epochs=-1, max_time="00:00:00:01").fit(detector, _loader())

    def test_prediction_names_each_page_and_its_regions(
        self, trained: TextDetector, tmp_path: Path
    ) -> None:
        batches = _trainer(tmp_path).predict(trained, _loader())
        assert batches is not None
        pages = [page for batch in batches for page in batch]
        assert [page["image_path"] for page in pages] == [f"page_{i}.png" for i in range(4)]
        assert [len(page["detections"]) for page in pages] == [1] * 4
        assert pages[0]["detections"][0].polygon.shape == (4, 2)

    def test_the_same_weights_give_the_same_maps_in_either_memory_format(self) -> None:
        detector = _detector().eval()
        batch: DetectionBatch = DetectionCollate()([_sample(0)])
        with torch.no_grad():
            channels_last = detector(batch["images"]).probability_logits
            detector.memory_format = torch.contiguous_format
            detector.model.to(memory_format=torch.contiguous_format)
            contiguous = detector(batch["images"]).probability_logits
        torch.testing.assert_close(channels_last, contiguous, rtol=1e-3, atol=1e-3)
