"""A run with a secret in every place that text comes from: no output of it holds one.

Outputs are taken from the registry and from the folder, so that a new one is looked at too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, Dataset

from ocr_baseline import read, section
from ocr_baseline.cli.application import main
from ocr_baseline.lightning import report
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.model.privacy import outward
from ocr_baseline.reports.registry import RUN, Format, render
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run

pytestmark = pytest.mark.slow

ENTRY = "corr-horse-9"
VARIABLE = "fern-tree-41"
TOKEN = "gl" + "pat-" + "aB3xY7qLm2" * 2
ADDRESS = "s0me-wren"
SECRETS = (ENTRY, VARIABLE, TOKEN, ADDRESS)


class SecretItems(Dataset[torch.Tensor]):
    """Items whose workers open a section with a secret of the configuration in its name."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> torch.Tensor:
        with section(f"fetch {self.secret}"):
            return torch.full((4,), float(index % 3))


def walk() -> None:
    """Take so long that sampling meets it."""
    end_s = time.monotonic() + 0.1
    while time.monotonic() < end_s:
        pass


walk.__code__ = walk.__code__.replace(co_name=f"walk_{TOKEN}", co_filename=f"/home/{TOKEN}/walk.py")


class SecretModule(TinyModule):
    def __init__(self) -> None:
        super().__init__()
        self.save_hyperparameters({"password": ENTRY, "note": f"see {TOKEN}"})

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> Any:
        walk()
        for text in (ENTRY, VARIABLE, TOKEN, f"https://ann:{ADDRESS}@host/x"):
            with section(f"step {text}"):
                self.log(f"loss {text.replace('/', ' ')}", 0.0)
        if batch_idx == 3:
            raise ValueError(f"{ENTRY} {VARIABLE} {TOKEN} https://ann:{ADDRESS}@host")
        return super().training_step(batch, batch_idx)


def secret_callback() -> Callback:
    name = f"Upload_{TOKEN}"
    hooks = {"on_train_batch_end": lambda *_: None}
    made = type(name, (Callback,), hooks)()
    assert isinstance(made, Callback)
    return made


@pytest.fixture(scope="module", params=["spawn", "fork", "forkserver"])
def run_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("secrets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEAM_PASSWORD", VARIABLE)
        loader: DataLoader[Any] = DataLoader(
            SecretItems(ENTRY),
            batch_size=2,
            num_workers=1,
            multiprocessing_context=request.param,
        )
        run = tiny_run(
            folder,
            lambda trainer, module: trainer.fit(module, loader),
            module=SecretModule(),
            callbacks=[secret_callback()],
            logger=CSVLogger(folder / "logs", name=f"run_{TOKEN}", version=f"v_{TOKEN}"),
        )
        assert isinstance(run.ended_by, ValueError)
        yield folder / "baseline"


def left_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_no_file_of_the_run_holds_a_secret_those_of_workers_included(run_folder: Path) -> None:
    files = [path for path in run_folder.rglob("*") if path.is_file()]
    assert any("worker" in path.name and "fetch" in path.read_text() for path in files)
    assert {path.name: left_in(path.name + path.read_text()) for path in files} == {
        path.name: [] for path in files
    }


@pytest.mark.parametrize("format", RUN)
def test_no_format_of_the_report_holds_a_secret(format: Format, run_folder: Path) -> None:
    assert left_in(render(read(run_folder), format)) == []


COMMANDS: dict[str, list[str]] = {
    "show": ["show", "RUN"],
    "report": ["report", "RUN"],
    "speedscope": ["speedscope", "RUN"],
    "trace": ["trace", "RUN"],
    "compare": ["compare", "RUN", "OTHER"],
    "compare as JSON": ["compare", "RUN", "OTHER", "--format", "json"],
    "compare as Markdown": ["compare", "RUN", "OTHER", "--format", "markdown"],
    "check": ["check", "RUN", "--baseline", "OTHER"],
    "check as JSON": ["check", "RUN", "--baseline", "OTHER", "--export-json", "STORE/check.json"],
    "check as Markdown": ["check", "RUN", "--baseline", "OTHER", "--output", "STORE/check.md"],
    "trend": ["trend", "RUN", "OTHER"],
    "trend as JSON": ["trend", "RUN", "OTHER", "--format", "json"],
    "baseline add": ["baseline", "add", "main", "RUN", "--store", "STORE"],
}


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other")
    tiny_run(folder, module=SecretModule())
    return folder / "baseline"


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_or_stores_a_secret(
    command: str,
    run_folder: Path,
    other_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "store").mkdir()
    words = [
        word.replace("RUN", str(run_folder))
        .replace("OTHER", str(other_folder))
        .replace("STORE", str(tmp_path / "store"))
        for word in COMMANDS[command]
    ]

    status = main(words)

    shown = capsys.readouterr()
    assert status == 0, shown.err
    stored = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert left_in(shown.out + shown.err + "".join(path.read_text() for path in stored)) == []
    assert command != "speedscope" or "walk" in shown.out


def test_no_warning_of_ours_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TEAM_PASSWORD", VARIABLE)
    told = f"{ENTRY} {VARIABLE} {TOKEN} https://ann:{ADDRESS}@host"

    class Refuses(CSVLogger):
        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            if any(key.startswith("performance/") for key in metrics):
                raise ValueError(told)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise ValueError(told)

    monkeypatch.setattr(Recorder, "close_stage", broken)
    monkeypatch.setattr(report, "live_info", broken)

    with caplog.at_level(logging.DEBUG, logger="ocr_baseline"):
        tiny_run(
            tmp_path,
            lambda trainer, module: trainer.fit(module, loader()),
            module=SecretModule(),
            logger=Refuses(tmp_path / "logs"),
            max_epochs=2,
        )

    ours = [entry for entry in caplog.records if entry.name.startswith("ocr_baseline")]
    assert len([entry for entry in ours if entry.levelno == logging.WARNING]) >= 2
    formatted = "\n".join(logging.Formatter().format(entry) for entry in ours)
    assert left_in(formatted) == []


def test_a_column_of_numbers_passes_the_gate_without_a_copy() -> None:
    column = [1.5, 2, None, True]
    assert outward({"x": column})["x"] is column
