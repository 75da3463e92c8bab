"""What a member runs with: trainers with our callbacks or without, and notes of what happened."""

from __future__ import annotations

import hashlib
import random
import threading
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from torch.utils.data import DataLoader, Dataset, TensorDataset

if TYPE_CHECKING:
    from collections.abc import Sequence

Truth: TypeAlias = "int | float | str | tuple[float, float] | None"
"""What a report may say: this, a number in this range, or that it wasn't measured."""

BATCH_SIZE = 4
BATCHES = 4
_now_s = perf_counter  # as it was before a member changed it


class Net(LightningModule):
    """A small layer that trains on the first tensor of a batch."""

    def __init__(self, **hyperparameters: Any) -> None:
        super().__init__()
        self.save_hyperparameters(hyperparameters)
        self.layer = torch.nn.Sequential(
            torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
        )

    def loss_of(self, batch: Any) -> torch.Tensor:
        """Return the loss of a batch."""
        inputs = batch[0] if isinstance(batch, list | tuple) else batch
        loss: torch.Tensor = self.layer(inputs).pow(2).mean()
        return loss

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Return the loss."""
        loss = self.loss_of(batch)
        self.log("loss", loss, batch_size=1)
        return loss

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Any:
        """Evaluate the layer."""
        self.loss_of(batch)

    test_step = validation_step

    def predict_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Any:
        """Return the layer's output."""
        return self.layer(batch[0])

    def configure_optimizers(self) -> Any:
        """Return plain SGD."""
        return torch.optim.SGD(self.parameters(), lr=0.05)


class Items(Dataset[torch.Tensor]):
    """Rows of eight numbers, the same in each process."""

    def __init__(self, count: int = BATCHES * BATCH_SIZE) -> None:
        generator = torch.Generator().manual_seed(0)
        self.rows = torch.randn(count, 8, generator=generator)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.rows[index]

    def parts(self, size: int) -> Sequence[torch.Tensor]:
        """Return the rows in parts of a size."""
        parts: Any = self.rows  # torch leaves `split` untyped
        return parts.split(size)  # type: ignore[no-any-return]  # as above


def loader(count: int = BATCHES * BATCH_SIZE, **arguments: Any) -> DataLoader[Any]:
    """Return a loader of lists of one tensor, four rows each."""
    dataset = TensorDataset(Items(count).rows)
    return DataLoader(dataset, **{"batch_size": BATCH_SIZE, **arguments})


class First(Callback):
    """Counts the batches that run, and marks when the end of the run begins; the first callback."""

    def __init__(self) -> None:
        self.batches: Counter[str] = Counter()
        self.end_began_s: float | None = None
        self.end_s: float | None = None

    def on_train_batch_end(self, *args: Any) -> None:
        """Count one."""
        self.batches["train"] += 1

    def on_validation_batch_end(self, trainer: Trainer, *args: Any) -> None:
        """Count one, but for the sanity check's."""
        self.batches["validation"] += not trainer.sanity_checking

    def on_test_batch_end(self, *args: Any) -> None:
        """Count one."""
        self.batches["test"] += 1

    def on_predict_batch_end(self, *args: Any) -> None:
        """Count one."""
        self.batches["predict"] += 1

    def on_train_end(self, *args: Any) -> None:
        """The training is over; what comes now is the end of the fit."""
        self.end_began_s = _now_s()

    def on_exception(self, *args: Any) -> None:
        """The end of a run that fails."""
        self.end_began_s = _now_s()


class Last(Callback):
    """Marks when the end of the run is over; the last callback."""

    def __init__(self, first: First) -> None:
        self.first = first

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """All that ours do at the end of a run is done."""
        self._mark()

    def on_exception(self, *args: Any) -> None:
        """The same, for a run that fails."""
        self._mark()

    def _mark(self) -> None:
        if self.first.end_began_s is not None and self.first.end_s is None:
            self.first.end_s = _now_s() - self.first.end_began_s


class Guest:
    """One run of a member, with our callbacks or without.

    Attributes:
        measured: Whether our callbacks are in the trainers.
        folder: A folder of this run's own, the working folder at the start.
        told: What the member tells; it has to be equal without and with.
        graphs: Numbers of compiled graphs; they have to be equal too.
        truths: What is true of a run, by its number and by the name of the value in its report.
        reports: Where the report of each run is.
        is_refused: Whether the setting is wrong, so that ours have to refuse it before the run.
    """

    def __init__(self, folder: Path, *, measured: bool) -> None:
        self.measured = measured
        self.folder = folder
        self.told: dict[str, Any] = {}
        self.graphs: dict[str, int] = {}
        self.truths: dict[int, dict[str, Truth]] = {}
        self.reports: dict[int, Path] = {}
        self.is_refused = False
        self._firsts: list[First] = []
        self._modules: list[LightningModule] = []
        self._threads = {thread.name for thread in threading.enumerate()}
        self._methods = _methods()
        seed_everything(1, verbose=False)

    def ours(
        self, operations: Sequence[str] = (), output_dir: Path | str | None = None
    ) -> list[Callback]:
        """Return our two callbacks, as a user adds them; none where they are left out."""
        if not self.measured:
            return []
        from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

        return [
            PerformanceProfilerCallback(operations=operations, output_dir=output_dir),
            BaselineReportCallback(output_dir=output_dir),
        ]

    def trainer(
        self,
        *callbacks: Callback,
        operations: Sequence[str] = (),
        output_dir: Path | str | None = None,
        ours: list[Callback] | None = None,
        **arguments: Any,
    ) -> Trainer:
        """Return a trainer whose run is compared; its report is checked for the number of batches.

        Args:
            callbacks: The user's own.
            operations: Of the profiler.
            output_dir: Of both callbacks.
            ours: Instead of two new callbacks.
            arguments: Of the trainer.
        """
        number = len(self._firsts)
        root = self.folder / f"run{number}"
        first = First()
        self._firsts.append(first)
        self.reports[number] = (root if output_dir is None else Path(output_dir).absolute()) / (
            "baseline" if output_dir is None else "."
        )
        if ours is None:
            ours = self.ours(operations, output_dir)
        settings = {
            "max_epochs": 2,
            "accelerator": "cpu",
            "devices": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
            "log_every_n_steps": 1,
            "default_root_dir": root,
        }
        return Trainer(
            callbacks=[first, *callbacks, *ours, Last(first)], **{**settings, **arguments}
        )

    def fit(
        self,
        module: LightningModule | None = None,
        train: Any = None,
        validation: Any = None,
        *callbacks: Callback,
        **arguments: Any,
    ) -> Trainer:
        """Train a module, `Net` on sixteen rows where none is given; return the trainer."""
        trainer = self.trainer(*callbacks, **arguments)
        module = self.kept(Net() if module is None else module)
        trainer.fit(module, loader() if train is None else train, validation)
        return trainer

    def kept(self, module: LightningModule) -> LightningModule:
        """Compare the module's weights at the end."""
        self._modules.append(module)
        return module

    def let_go(self) -> None:
        """Drop the module's methods that Lightning gives to callbacks: they keep the run alive."""
        for first in self._firsts:
            for name in ("log", "log_dict"):
                vars(first).pop(name, None)

    def tell(self, **facts: Any) -> None:
        """Tell what has to be equal without and with our callbacks."""
        self.told |= {name: repr(value) for name, value in facts.items()}

    def true(self, name: str, value: Truth, run: int = 0) -> None:
        """State what is true of a run: `train.samples`, `run.status`, `train.forward_s`.

        The number of batches of each phase is counted without this.
        """
        self.truths.setdefault(run, {})[name] = value

    def outcome(self, error: BaseException | None) -> dict[str, Any]:
        """Return what the run came to, as JSON."""
        return {
            "ended_by": None if error is None else f"{type(error).__name__}: {error}"[:300],
            "told": self.told,
            "traces": self._traces(),
            "weights": [_digest(module) for module in self._modules],
            "random": _random_states(),
            "graphs": self.graphs,
            "batches": [dict(first.batches) for first in self._firsts],
            "truths": {number: self._truths_of(number) for number in self.reports},
            "reports": {number: str(folder) for number, folder in self.reports.items()},
            "end_s": [first.end_s for first in self._firsts],
            "is_refused": self.is_refused,
        }

    def _truths_of(self, number: int) -> dict[str, Truth]:
        counted = self._firsts[number].batches if number < len(self._firsts) else {}
        counts: dict[str, Truth] = {f"{name}.batches": n for name, n in counted.items() if n}
        return counts | self.truths.get(number, {})

    def _traces(self) -> dict[str, Any]:
        """Return what a run must not leave behind."""
        threads = {thread.name for thread in threading.enumerate()} - self._threads
        return {
            "heartbeats": sorted(name for name in threads if "ocr-baseline" in name),
            "methods as they were": _methods() == self._methods,
        }


def _methods() -> list[Any]:
    return [
        DataLoader.__iter__,
        DataLoader.__iter__.__code__,
        LightningModule.log,
        LightningModule.log.__code__,
    ]


def _digest(module: LightningModule) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        if isinstance(value, torch.Tensor):
            digest.update(name.encode() + value.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]


def _random_states() -> dict[str, str]:
    states = {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": repr(np.random.get_state(legacy=False)).encode(),
        "python": repr(random.getstate()).encode(),
    }
    return {name: hashlib.sha256(state).hexdigest()[:12] for name, state in states.items()}
