"""A run with a secret in every place that text comes from: no output of it holds one.

Outputs are taken from the registry and from the folder, so that a new one is looked at too.
"""

from __future__ import annotations

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
from ocr_baseline.model.privacy import outward
from ocr_baseline.reports.registry import RUN, Format, render
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, tiny_run

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


class SecretModule(TinyModule):
    def __init__(self) -> None:
        super().__init__()
        self.save_hyperparameters({"password": ENTRY, "note": f"see {TOKEN}"})

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> Any:
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
    if format == "html":
        pytest.importorskip("plotly")
    assert left_in(render(read(run_folder), format)) == []


@pytest.mark.parametrize("command", ["show", "report"])
def test_no_command_prints_a_secret(
    command: str, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(run_folder)]) == 0
    shown = capsys.readouterr()
    assert left_in(shown.out + shown.err) == []


def test_a_column_of_numbers_passes_the_gate_without_a_copy() -> None:
    column = [1.5, 2, None, True]
    assert outward({"x": column})["x"] is column
