"""`BaselineReportCallback(publish=...)` in real trainings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lightning.pytorch import Callback
from lightning.pytorch.loggers import TensorBoardLogger

from ocr_baseline import BaselineReportCallback
from ocr_baseline.errors import SettingError
from tests.ocr_baseline.lightning.tiny_runs import fit, loader, log_messages, tiny_run
from tests.ocr_baseline.publish.events import scalars_in, text_in

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

pytestmark = pytest.mark.slow


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_the_trainers_tensorboard_logger_gets_the_numbers_and_the_text(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    logger = TensorBoardLogger(tmp_path, name="board", version="0")
    report = BaselineReportCallback(publish=["tensorboard"])
    run = tiny_run(tmp_path, report=report, logger=logger)
    assert run.ended_by is None
    assert report.files is not None
    train = report.files.baseline.phase("train")
    assert train is not None
    assert train.batch_time_s is not None
    folder = Path(logger.log_dir)
    assert scalars_in(folder)["baseline/train_batch_time_s"] == pytest.approx(
        train.batch_time_s.median
    )
    assert text_in(folder, "baseline/report").startswith("# Performance Baseline Report")


def test_nothing_is_published_without_being_asked(tmp_path: Path, summary: Path) -> None:
    assert tiny_run(tmp_path).ended_by is None
    assert not summary.exists()


def test_a_target_alone_may_be_a_plain_string(tmp_path: Path, summary: Path) -> None:
    tiny_run(tmp_path, report=BaselineReportCallback(publish="github"))
    assert summary.read_text(encoding="utf-8").startswith("# Performance Baseline Report")


def test_failed_targets_are_one_warning_and_the_others_are_published(
    tmp_path: Path, summary: Path
) -> None:
    report = BaselineReportCallback(publish=["mlflow", "wandb", "github"])

    def fit_and_test(trainer: Trainer, module: LightningModule) -> None:
        fit(trainer, module)
        trainer.test(module, loader(), verbose=False)

    with log_messages() as messages:
        run = tiny_run(tmp_path, fit_and_test, report=report, logger=False)
    assert run.ended_by is None
    (warning,) = [text for text in messages if "published" in text]
    assert "mlflow (the trainer has no MLFlowLogger: add one, or leave it out)" in warning
    assert "--to mlflow:ID --to wandb:ENTITY/PROJECT/ID` tries again" in warning
    assert summary.read_text(encoding="utf-8").count("# Performance Baseline Report") == 2


def test_a_summary_that_cannot_be_written_leaves_the_training_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with log_messages() as messages:
        run = tiny_run(tmp_path, report=BaselineReportCallback(publish=["github"]))
    assert run.ended_by is None
    assert sum("could not be published: github" in text for text in messages) == 1


def test_a_secret_is_published_nowhere(
    tmp_path: Path, summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "-".join(["hunter2", "Zx9qLe", "4417"])
    monkeypatch.setenv("RECEIPTS_API_KEY", secret)

    class Refused(Callback):
        def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            raise RuntimeError(f"the server refused api_key={secret}")

    report = BaselineReportCallback(publish=["github"])
    tiny_run(tmp_path, callbacks=[Refused()], report=report)
    text = summary.read_text(encoding="utf-8")
    assert "the server refused" in text
    assert secret not in text


def test_an_unknown_target_is_refused_before_the_training() -> None:
    with pytest.raises(SettingError, match="unknown target 'slack'"):
        BaselineReportCallback(publish=["slack"])
