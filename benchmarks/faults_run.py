"""One training with one fault, in a process forked from one that has torch imported already."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.loggers import CSVLogger, Logger, WandbLogger
from torch.utils.data import DataLoader

from benchmarks.faults_disks import FILE_LIMIT_BYTES, freeze
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.measure import folder_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.faults_progress import Progress

BATCHES = 60
LONG_RUN_BATCHES = 4000
SLOW_BATCHES = 300
SLOW_BATCH_S = 0.02
KILL_OF_SLOW_BATCHES = "kill -9 of 20 ms batches"
"""Too slow for a thousand to gather: what is lost is what came since the last second."""

FAULT_AT_BATCH = 30
BATCHES_OF_FAULT = {
    "kill -9": LONG_RUN_BATCHES,
    KILL_OF_SLOW_BATCHES: SLOW_BATCHES,
    "SIGTERM": LONG_RUN_BATCHES,
    "SIGINT": LONG_RUN_BATCHES,
}
"""Trainings that are hit from outside go on until they are."""

HANG_PATIENCE_S = 1.0
"""In place of the half a minute that a training waits for a file system to answer."""


class FaultError(RuntimeError):
    """What a training raises that is meant to fail."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What one run is given."""

    folder: Path
    fault: str
    with_callbacks: bool
    progress: Progress
    has_disk: bool = False
    """Whether the report's folder is a file system of its own that fails by itself."""

    @property
    def report_folder(self) -> Path:
        """Where the callbacks write."""
        return self.folder / "baseline"


class SmallModule(LightningModule):
    """A layer; its step fails where the fault says so."""

    def __init__(self, fault: str, settings: Any = None) -> None:
        """Keep the settings as hyperparameters, whatever they are."""
        super().__init__()
        self.save_hyperparameters({"settings": settings})
        self.fault = fault
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return a loss, or fail."""
        if batch_idx == FAULT_AT_BATCH:
            if self.fault == "exception in the step":
                raise FaultError("the step failed")
            if self.fault == "out of memory":
                torch.empty(2**50)
        if self.fault == KILL_OF_SLOW_BATCHES:
            time.sleep(SLOW_BATCH_S)
        loss: torch.Tensor = self.layer(batch).pow(2).mean()
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Evaluate the layer."""
        self.layer(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return plain SGD."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


class Faults(Callback):
    """Counts batches, and does in hooks what the fault says."""

    def __init__(self, setting: Setting) -> None:
        """Keep the setting."""
        self.setting = setting

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the batch, then leave or spoil something at the chosen one."""
        self.setting.progress.batches += 1
        if batch_idx != FAULT_AT_BATCH:
            return
        if self.setting.fault == "sys.exit in a hook":
            sys.exit(7)
        if self.setting.fault == "damaged records":
            for path in self.setting.folder.rglob("rank_0.jsonl"):
                with path.open("ab") as file:
                    file.write(
                        b'{"type":"batches","stage":7}\n\xff\x00[[[[\n{"type":"epoch"}\nnull\n'
                    )
        if self.setting.fault == "records folder removed":
            shutil.rmtree(self.setting.report_folder, ignore_errors=True)
        if self.setting.fault == "file system that hangs" and self.setting.with_callbacks:
            freeze(self.setting.report_folder, is_own_disk=self.setting.has_disk)


class RaisingLogger(CSVLogger):
    """A logger that fails on our keys."""

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Raise on a `performance/` key."""
        if any(key.startswith("performance/") for key in metrics):
            raise FaultError("the logger failed")
        super().log_metrics(metrics, step)


class UnreachableWandb(WandbLogger):
    """A W&B logger whose run claims to be online, on a server that nobody serves."""

    def __init__(self) -> None:
        """Make no run."""
        Logger.__init__(self)

    @property
    def experiment(self) -> Any:
        """Return what the callbacks ask a run for."""
        return SimpleNamespace(
            id="run1", name="run", project="p", entity="e", url=None, summary={}, offline=False
        )

    @property
    def name(self) -> str:
        """Return a name."""
        return "wandb"

    @property
    def version(self) -> str:
        """Return an id."""
        return "run1"

    @property
    def save_dir(self) -> None:
        """Return no folder."""

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        """Log nowhere."""

    def log_hyperparams(self, params: Any) -> None:
        """Log nowhere."""

    def log_graph(self, model: Any) -> None:  # type: ignore[override]  # as it is called
        """Log nowhere."""

    def finalize(self, status: str) -> None:
        """Upload nothing."""


class Unprintable:
    """A setting whose text can't be had."""

    def __repr__(self) -> str:
        """Raise."""
        raise FaultError("no text for this")

    def __deepcopy__(self, memo: Any) -> Unprintable:
        """Return itself."""
        return self


def hostile_settings() -> dict[str, Any]:
    """Return hyperparameters that no JSON can hold."""
    settings: dict[str, Any] = {
        "text": Unprintable(),
        "nan": float("nan"),
        "bytes": b"\xff\x00",
        "function": print,
        "surrogate": "\ud800",
        "mapping": {3: {(1, 2): {None: torch.ones(2)}}},
    }
    settings["self"] = settings
    return settings


def train(setting: Setting) -> None:
    """Train on the CPU; as long as it takes to be hit where the fault comes from outside."""
    warnings.simplefilter("ignore")
    seed_everything(1, verbose=False)
    fault = setting.fault
    batches = BATCHES_OF_FAULT.get(fault, BATCHES)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        default_root_dir=setting.folder,
        logger=_logger(setting),
        log_every_n_steps=50,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[Faults(setting), *(_callbacks(setting) if setting.with_callbacks else ())],
    )
    settings = hostile_settings() if fault == "unserializable config" else None
    module = SmallModule(fault, settings)
    rows: Any = torch.ones(batches, 4)  # a tensor serves as a map of its rows
    trainer.fit(module, DataLoader(rows), DataLoader(rows[:20]))
    setting.progress.weights = float(sum(p.detach().sum() for p in module.parameters()))


def _logger(setting: Setting) -> Any:
    if setting.fault == "logger that raises":
        return RaisingLogger(str(setting.folder))
    if setting.fault == "dead W&B server":
        os.environ.update(WANDB_BASE_URL="http://127.0.0.1:9", WANDB_API_KEY="0" * 40)
        return UnreachableWandb()
    return False


def _callbacks(setting: Setting) -> list[Callback]:
    fault = setting.fault
    output_dir = None
    if fault == "folder that can't be made":
        obstacle = setting.folder / "file"
        obstacle.touch()
        output_dir = obstacle / "baseline"
    if fault == "file system that takes no files":
        output_dir = Path("/proc/baseline")
    if fault == "file system that hangs":
        folder_answer.PATIENCE_S = HANG_PATIENCE_S
    if fault == "full disk" and not setting.has_disk:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT_BYTES, resource.RLIM_INFINITY))
    report = BaselineReportCallback(output_dir=output_dir)
    if fault == "dead W&B server":
        return [report]
    return [PerformanceProfilerCallback(output_dir=output_dir), report]


def start(setting: Setting) -> int:
    """Fork a process that trains with its output in `output.txt`; return its id."""
    pid = os.fork()
    if pid:
        return pid
    # A shell starts what it puts in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os._exit(_exit_code_of(lambda: train(setting), setting.folder / "output.txt"))


def _exit_code_of(action: Callable[[], None], output: Path) -> int:
    """Run an action as a program would, and return the exit code that it would end with."""
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    try:
        action()
    except SystemExit as leaving:
        code = leaving.code
        return code if isinstance(code, int) else int(code is not None)
    except KeyboardInterrupt:
        return 130
    except BaseException:  # noqa: BLE001 - what the interpreter does with any exception
        traceback.print_exc()
        return 1
    return 0
