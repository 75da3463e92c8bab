from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra.errors import InstantiationException
from lightning import LightningDataModule, LightningModule
from lightning.pytorch.loggers import CSVLogger
from omegaconf import DictConfig, OmegaConf, open_dict
from torch.utils.data import DataLoader

from ocr.data.errors import AnnotationError
from ocr.train import (
    TrainingSetupError,
    instantiate_group,
    make_training_objects,
    optimized_value,
    train,
)

pytestmark = pytest.mark.slow

Compose = Callable[..., DictConfig]


class RememberedEpoch(LightningModule):
    """Its weights are the number of the epoch; its validation scores are given."""

    def __init__(self, val_hmean: list[float]) -> None:
        super().__init__()
        self.scores = val_hmean
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.epoch = torch.nn.Parameter(torch.tensor(-1.0), requires_grad=False)

    def on_train_epoch_start(self) -> None:
        self.epoch.fill_(self.current_epoch)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        return (self.weight * batch).sum()

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("val/hmean", self.scores[self.current_epoch])

    def test_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("test/epoch", self.epoch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD([self.weight], lr=0.1)


class Ones(LightningDataModule):
    """Two samples; the first one can't be read when `unreadable` names a file."""

    def __init__(self, num_workers: int = 0, unreadable: str | None = None) -> None:
        super().__init__()
        self.num_workers = num_workers
        self.unreadable = unreadable

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> torch.Tensor:
        if self.unreadable is not None:
            raise AnnotationError(f"{self.unreadable}: cannot be decoded")
        return torch.ones(1)

    def train_dataloader(self) -> DataLoader[torch.Tensor]:
        return DataLoader(self, num_workers=self.num_workers)  # type: ignore[arg-type]  # map-style

    val_dataloader = train_dataloader
    test_dataloader = train_dataloader


class NotInstalled(LightningDataModule):
    """Like a data module whose imports fail."""

    def __init__(self, module: str) -> None:
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)


@pytest.fixture
def compose_tiny(compose_app: Compose) -> Compose:
    """Compose the application's configuration around the two classes above."""

    def composed(*overrides: str) -> DictConfig:
        cfg = compose_app("trainer.max_epochs=3", "trainer.enable_model_summary=false", *overrides)
        with open_dict(cfg):
            cfg.data = {"_target_": f"{__name__}.Ones"}
            cfg.model = {
                "_target_": f"{__name__}.RememberedEpoch",
                "val_hmean": [0.1, 0.5, 0.2],
            }
        return cfg

    return composed


def test_a_training_returns_its_last_validation_and_the_test_of_its_best_checkpoint(
    compose_tiny: Compose,
) -> None:
    assert train(compose_tiny()) == {"val/hmean": pytest.approx(0.2), "test/epoch": 1.0}


def test_without_a_fit_the_test_uses_random_weights_and_warns(
    compose_tiny: Compose, caplog: pytest.LogCaptureFixture
) -> None:
    assert train(compose_tiny("train=false")) == {"test/epoch": -1.0}
    assert "Testing random weights" in caplog.text
    assert "ckpt_path=FILE" in caplog.text


def test_without_a_fit_the_test_uses_the_checkpoint_it_is_given(
    compose_tiny: Compose, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(compose_tiny("test=false"))
    checkpoint = tmp_path / "checkpoints" / "epoch_001.ckpt"
    assert train(compose_tiny("train=false", f"ckpt_path='{checkpoint}'"))["test/epoch"] == 1.0
    assert "random weights" not in caplog.text


def test_a_checkpoint_that_is_not_there_is_named_before_anything_runs(
    compose_tiny: Compose, tmp_path: Path
) -> None:
    with pytest.raises(TrainingSetupError, match=r"^ckpt_path=.*absent\.ckpt: no such file$"):
        train(compose_tiny(f"ckpt_path='{tmp_path / 'absent.ckpt'}'"))


def test_the_same_seed_gives_the_same_weights(compose_app: Compose) -> None:
    first, second = (
        torch.cat([p.detach().flatten() for p in make_training_objects(cfg).model.parameters()])
        for cfg in (compose_app("seed=3"), compose_app("seed=3"))
    )
    assert torch.equal(first, second)


def test_the_hyperparameters_reach_the_logger(compose_tiny: Compose, tmp_path: Path) -> None:
    train(compose_tiny("seed=7", "test=false"))
    logged = OmegaConf.load(tmp_path / "csv" / "hparams.yaml")
    assert (logged.seed, logged.trainer.max_epochs, logged.parameters) == (7, 3, 2)


def test_the_summary_says_where_the_run_and_its_best_checkpoint_are(
    compose_tiny: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(compose_tiny())
    printed = capsys.readouterr().out
    assert str(tmp_path) in printed
    assert str(tmp_path / "checkpoints" / "epoch_001.ckpt") in printed


@pytest.mark.slow
@pytest.mark.parametrize("shows_answer", [True, False])
def test_the_page_of_the_report_is_named_once(
    shows_answer: bool, compose_tiny: Compose, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = f"callbacks.baseline_report.summary={str(shows_answer).lower()}"
    train(compose_tiny("callbacks=baseline_report", summary))
    printed = "".join(capsys.readouterr())
    assert printed.count("baseline.html") == 1
    assert printed.count("Performance baseline of") == int(shows_answer)
    assert "baseline.md" not in printed


@pytest.mark.parametrize(
    ("choice", "kinds"),
    [
        ("none", []),
        ("csv", ["CSVLogger"]),
        ("tensorboard", ["TensorBoardLogger"]),
        ("wandb", ["WandbLogger"]),
        ("[csv,tensorboard]", ["CSVLogger", "TensorBoardLogger"]),
    ],
)
def test_each_choice_of_logger_makes_those_loggers_and_no_other(
    compose_tiny: Compose, choice: str, kinds: list[str]
) -> None:
    objects = make_training_objects(compose_tiny(f"logger={choice}"))
    assert [type(logger).__name__ for logger in objects.trainer.loggers] == kinds


def test_the_csv_file_is_in_the_run_folder(compose_tiny: Compose, tmp_path: Path) -> None:
    (logger,) = make_training_objects(compose_tiny()).loggers
    assert isinstance(logger, CSVLogger)
    assert Path(logger.log_dir) == tmp_path / "csv"


def test_without_callbacks_a_training_runs_and_its_own_weights_are_tested(
    compose_tiny: Compose, caplog: pytest.LogCaptureFixture
) -> None:
    cfg = compose_tiny(
        "callbacks=none", "trainer.max_epochs=1", "trainer.enable_checkpointing=false"
    )
    assert train(cfg)["test/epoch"] == 0.0
    assert "testing the weights as the fit left them" in caplog.text


def test_an_entry_without_a_target_is_named() -> None:
    cfg = OmegaConf.create({"callbacks": {"timer": {"interval": 3}}})
    with pytest.raises(TrainingSetupError, match=r"callbacks\.timer.*_target_"):
        instantiate_group(cfg, "callbacks")


def test_a_group_that_is_a_plain_string_is_refused() -> None:
    cfg = OmegaConf.create({"callbacks": "baseline_report"})
    with pytest.raises(TrainingSetupError, match="callbacks=default"):
        instantiate_group(cfg, "callbacks")


def test_a_constructor_that_refuses_its_arguments_is_named(compose_tiny: Compose) -> None:
    cfg = compose_tiny("+callbacks.early_stopping.tolerance=1")
    with pytest.raises(InstantiationException, match=r"callbacks\.early_stopping"):
        train(cfg)


def test_a_value_that_was_never_given_is_named(compose_app: Compose) -> None:
    with pytest.raises(TrainingSetupError) as caught:
        train(compose_app("data=receipts"))
    assert "data.root" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("module", "kind", "message"),
    [
        ("shapely.geometry", TrainingSetupError, r"needs shapely\..*pip install -e '\.\[train\]'"),
        ("theirs", InstantiationException, "theirs"),
    ],
)
def test_a_missing_package_of_the_pipeline_is_named_with_its_remedy(
    compose_tiny: Compose, module: str, kind: type[Exception], message: str
) -> None:
    cfg = compose_tiny()
    with open_dict(cfg):
        cfg.data = {"_target_": f"{__name__}.NotInstalled", "module": module}
    with pytest.raises(kind, match=message):
        train(cfg)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_unreadable_data_ends_the_training_with_its_message_alone(
    compose_tiny: Compose, num_workers: int
) -> None:
    cfg = compose_tiny()
    with open_dict(cfg):
        cfg.data.update({"num_workers": num_workers, "unreadable": "page.jpg"})
    with pytest.raises(TrainingSetupError) as caught:
        train(cfg)
    assert str(caught.value) == "page.jpg: cannot be decoded"


def test_a_sweep_compares_the_metric_that_the_configuration_names() -> None:
    assert optimized_value("val/hmean", {"val/hmean": 0.5, "val/loss": 1.0}) == 0.5


def test_a_metric_that_was_not_logged_is_a_warning_that_lists_those_that_were(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert optimized_value("val/hmeam", {"val/hmean": 0.5}) is None
    assert "val/hmeam" in caplog.text
    assert "val/hmean" in caplog.text


def run_python(*arguments: str, cwd: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.max_epoch=2", "Key 'max_epoch' is not in struct"),
        ("trainr=cpu", "Could not override 'trainr'"),
        ("callbacks=baseline", "Could not find 'callbacks/baseline'"),
    ],
)
def test_an_unknown_override_fails_with_hydras_own_message(
    repository: Path, tmp_path: Path, override: str, message: str
) -> None:
    done = run_python("-m", "ocr.train", override, cwd=tmp_path, path=repository)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_printing_the_configuration_imports_neither_torch_nor_lightning(
    repository: Path, tmp_path: Path
) -> None:
    script = (
        "import sys; sys.argv = ['train', '--cfg', 'job']\n"
        "from ocr.train import main; main()\n"
        "print(*[name for name in ('torch', 'lightning') if name in sys.modules], file=sys.stderr)"
    )
    done = run_python("-c", script, cwd=tmp_path, path=repository)
    assert "max_epochs" in done.stdout
    assert done.stderr.strip() == ""
