"""Calls into C, which the sampling's signal interrupts, go on by themselves in every fit."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer

from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run, tiny_trainer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the timer is Linux's"),
]


class ReadsPipes(TinyModule):
    """Its steps read from a pipe by the C library; the bytes come a while later."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.found: list[int] = []
        self.fails = fails

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        if self.fails:
            raise ValueError("the step")
        library = ctypes.CDLL(None, use_errno=True)
        taking, giving = os.pipe()
        writer = threading.Timer(0.1, os.write, (giving, b"data"))
        writer.start()
        self.found.append(library.read(taking, ctypes.create_string_buffer(8), 8))
        writer.join()
        os.close(taking)
        os.close(giving)
        return super().training_step(batch, batch_idx)


class FitsAnother(Callback):
    """Fits a Trainer that has none of our callbacks as the training starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        tiny_trainer(self.folder).fit(TinyModule(), loader())


def test_reads_go_on_after_another_trainer_has_ended_within_the_fit(tmp_path: Path) -> None:
    module = ReadsPipes()

    run = tiny_run(tmp_path, module=module, callbacks=[FitsAnother(tmp_path / "another")])

    assert run.ended_by is None
    assert module.found[1:] == [4] * 3  # the first may come before the next tick
    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL


def test_reads_go_on_in_the_fit_after_one_that_failed(tmp_path: Path) -> None:
    module = ReadsPipes()

    failed = tiny_run(tmp_path / "failed", module=ReadsPipes(fails=True))
    tiny_run(tmp_path / "next", module=module)

    assert isinstance(failed.ended_by, ValueError)
    assert module.found == [4] * 4
    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
