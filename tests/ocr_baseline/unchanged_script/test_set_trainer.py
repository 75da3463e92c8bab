"""What a trial sets of a Trainer: how long it trains and validates, and where it writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.loops import evaluation_loop, fit_loop
from lightning.pytorch.trainer.connectors.logger_connector import logger_connector
from torch.utils.data import DataLoader
from typing_extensions import override

from ocr_baseline.unchanged_script.set_trainer import SetTrainer
from ocr_baseline.unchanged_script.settings import Limits, Settings, Trial

if TYPE_CHECKING:
    from pathlib import Path


class Module(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.epochs: list[int] = []
        self.validated = 0

    @override
    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self.epochs.append(self.current_epoch)
        loss = self.layer(batch).sum()
        self.log("loss", loss)
        return loss  # type: ignore[no-any-return]  # a module's call is untyped

    @override
    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.validated += 1

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def loader() -> Any:
    return DataLoader(torch.ones(24, 4), batch_size=4)  # type: ignore[arg-type]  # dataset enough


def trainer_of(folder: Path, limits: Limits | None = None, **options: Any) -> Trainer:
    """Return a trainer; one of a trial, whose folder is `trial`, where there are limits."""
    asked = Trial(settings=Settings(limits=limits or Limits()), folder=folder / "trial")
    (folder / "trial").mkdir(exist_ok=True)
    given: dict[str, Any] = {"logger": False, "enable_checkpointing": False, **options}
    return Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        callbacks=[] if limits is None else [SetTrainer(asked)],
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        **given,
    )


@pytest.fixture(autouse=True)
def lightning_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial is a process of its own, which leaves Lightning as it has set it."""
    connector: Any = logger_connector._LoggerConnector
    monkeypatch.setattr(connector, "on_trainer_init", connector.on_trainer_init)
    for module in (fit_loop, evaluation_loop):
        monkeypatch.setattr(module, "_process_dataloader", vars(module)["_process_dataloader"])


LIMITS = Limits(max_epochs=2, train_batches=3, validation_batches=2)


def test_a_training_that_resumes_is_tried_from_the_epoch_of_its_checkpoint(tmp_path: Path) -> None:
    first = trainer_of(tmp_path, max_epochs=5)
    first.fit(Module(), loader())
    first.save_checkpoint(tmp_path / "before.ckpt")
    module = Module()
    trainer_of(tmp_path, LIMITS, max_epochs=9).fit(
        module, loader(), ckpt_path=tmp_path / "before.ckpt"
    )
    assert module.epochs == [5] * 3 + [6] * 3


def test_a_trial_trains_no_more_epochs_than_the_script_asks_for(tmp_path: Path) -> None:
    module = Module()
    trainer_of(tmp_path, LIMITS, max_epochs=1).fit(module, loader())
    assert module.epochs == [0] * 3
    trainer_of(tmp_path, LIMITS, max_epochs=-1).fit(module, loader())
    assert module.epochs == [0] * 3 + [0] * 3 + [1] * 3


def test_a_trial_of_a_run_that_never_validated_does_not_either(tmp_path: Path) -> None:
    module = Module()
    limits = Limits(max_epochs=2, train_batches=3)
    trainer_of(tmp_path, limits, check_val_every_n_epoch=5).fit(module, loader(), loader())
    assert module.validated == 0


def test_validation_is_limited_where_the_run_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    module = Module()
    trainer_of(tmp_path, Limits(max_epochs=2, train_batches=3)).fit(module, loader(), loader())
    assert module.validated == 2 * 3


def test_a_checkpoint_that_the_script_saves_by_itself_goes_into_the_trials_folder(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "models" / "final.ckpt"
    trainer_of(tmp_path, max_epochs=1).fit(Module(), loader())
    kept.parent.mkdir()
    kept.write_text("the user's", encoding="utf-8")
    trainer = trainer_of(tmp_path, LIMITS)
    trainer.fit(Module(), loader())
    trainer.save_checkpoint(kept)
    trainer.save_checkpoint(str(kept), weights_only=True)
    assert kept.read_text(encoding="utf-8") == "the user's"
    assert (tmp_path / "trial" / "output" / "final.ckpt").is_file()


def test_loggers_that_the_script_wrote_to_before_its_trainer_write_into_the_trials_folder(
    tmp_path: Path,
) -> None:
    csv, board = CSVLogger(tmp_path), TensorBoardLogger(tmp_path, name="board")
    csv.log_metrics({"before": 1.0})
    csv.save()
    board.experiment.add_scalar("before", 1.0)
    board.experiment.flush()
    before = {path: path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}
    trainer = trainer_of(tmp_path, LIMITS, logger=[csv, board], log_every_n_steps=1)
    trainer.fit(Module(), loader())
    assert {path: path.stat().st_size for path in before} == before
    assert {path.name[:6] for path in (tmp_path / "trial").rglob("*") if path.is_file()} >= {
        "metric",
        "events",
    }


def test_what_a_module_calls_on_a_logger_that_is_left_out_comes_to_nothing(tmp_path: Path) -> None:
    class Server(DummyLogger):
        sent = 0

        @override
        def log_metrics(self, *args: Any, **kwargs: Any) -> None:
            self.sent += 1

    class Sends(Module):
        @override
        def on_train_epoch_end(self) -> None:
            logger: Any = self.logger
            logger.experiment.log_artifact("a file")
            assert str(self.trainer.log_dir).startswith(str(tmp_path / "trial"))

    server, module = Server(), Sends()
    trainer_of(tmp_path, LIMITS, logger=server, log_every_n_steps=1).fit(module, loader())
    assert module.epochs == [0] * 3 + [1] * 3
    assert server.sent == 0
    told = json.loads((tmp_path / "trial" / "settings.json").read_text(encoding="utf-8"))
    assert [one["what"] for one in told] == ["logger.Server"]
