"""A batch counts once its step is over: the report has as many as the trainer finished."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from tests.ocr_baseline.lightning.tiny_runs import HOOK_MS, TinyModule, loader, tiny_run, work

pytestmark = pytest.mark.usefixtures("simulated_clock")


class Counts(Callback):
    """Counts the batches whose end the trainer tells, before any other callback hears of it."""

    def __init__(self) -> None:
        self.batches: Counter[str] = Counter()

    def on_train_batch_end(self, *args: Any) -> None:
        self.batches["train"] += 1

    def on_validation_batch_end(self, *args: Any) -> None:
        self.batches["validation"] += 1

    def on_test_batch_end(self, *args: Any) -> None:
        self.batches["test"] += 1

    def on_predict_batch_end(self, *args: Any) -> None:
        self.batches["predict"] += 1


class EndsAt(TinyModule):
    """Raises in a step or hook of the third batch."""

    def __init__(self, hook: str, error: BaseException) -> None:
        super().__init__()
        self.hook = hook
        self.error = error
        self.calls = 0

    def called(self, hook: str) -> None:
        if hook == self.hook:
            self.calls += 1
            if self.calls == 3:
                raise self.error

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.called("training_step")
        return super().training_step(batch, batch_idx)

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.called("validation_step")
        super().validation_step(batch, batch_idx, dataloader_idx)

    def test_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.called("test_step")

    def predict_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Any:
        self.called("predict_step")
        return batch

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        self.called("on_before_optimizer_step")

    def on_train_batch_end(self, *args: Any) -> None:
        self.called("on_train_batch_end")


ENTRIES: dict[str, tuple[str, Callable[[Trainer, LightningModule], Any]]] = {
    "training_step": ("train", lambda t, m: t.fit(m, loader(), loader(6))),
    "on_before_optimizer_step": ("train", lambda t, m: t.fit(m, loader(), loader(6))),
    "on_train_batch_end": ("train", lambda t, m: t.fit(m, loader(), loader(6))),
    "validation_step": ("validation", lambda t, m: t.fit(m, loader(), loader(6))),
    "test_step": ("test", lambda t, m: t.test(m, loader(), verbose=False)),
    "predict_step": ("predict", lambda t, m: t.predict(m, loader())),
}


@pytest.mark.slow
@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
@pytest.mark.parametrize("hook", ENTRIES)
def test_a_batch_in_which_the_run_ends_is_none(
    hook: str, error: BaseException, tmp_path: Path
) -> None:
    stage, action = ENTRIES[hook]
    counts = Counts()

    run = tiny_run(tmp_path, action, module=EndsAt(hook, error), callbacks=[counts])

    # Lightning 2.1 takes Ctrl-C as an end that was wanted, and raises nothing.
    assert run.ended_by is not None or isinstance(error, KeyboardInterrupt)
    assert counts.batches[stage] == (3 if hook == "on_train_batch_end" else 2)
    assert run.phase(stage).batches == counts.batches[stage]
    run.check_totals()


def test_the_time_of_a_batch_that_never_ended_is_in_no_batch(tmp_path: Path) -> None:
    class Late(EndsAt):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            work(1000.0 if batch_idx == 2 else 0.0)
            return super().training_step(batch, batch_idx)

    run = tiny_run(tmp_path, module=Late("training_step", RuntimeError("x")))

    batches = (tmp_path / "baseline" / "batches.csv").read_text().splitlines()
    assert len(batches) == 1 + 2
    assert run.lines_ms("train")["forward"] >= 1000.0
    assert all(float(row["duration_s"]) < 1.0 for row in csv.DictReader(batches))


def test_a_batch_that_a_hook_refuses_is_none(tmp_path: Path) -> None:
    class Refuses(TinyModule):
        def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
            return -1 if batch_idx == 2 else None

    counts = Counts()

    run = tiny_run(tmp_path, module=Refuses(), callbacks=[counts], max_epochs=2)

    assert counts.batches["train"] == 4
    assert run.phase("train").batches == 4
    run.check_totals()


@pytest.mark.parametrize("which", ["all", "every other"])
def test_batches_of_none_are_batches_without_samples(which: str, tmp_path: Path) -> None:
    numbers = iter(range(1_000_000))

    def collated(items: list[torch.Tensor]) -> Any:
        work(HOOK_MS)
        is_none = which == "all" or next(numbers) % 2
        return None if is_none else torch.stack(items)

    counts = Counts()

    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, DataLoader(loader().dataset, batch_size=2, collate_fn=collated)),
        callbacks=[counts],
    )

    assert run.ended_by is None
    assert counts.batches["train"] == 4
    train = run.phase("train")
    assert (train.batches, train.samples) == (4, 0 if which == "all" else 4)
    run.check_totals()


def test_a_batch_whose_end_another_callback_spoils_was_done(tmp_path: Path) -> None:
    class Spoils(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            if trainer.global_step == 2:
                raise RuntimeError("not my batch")

    counts = Counts()

    run = tiny_run(tmp_path, callbacks=[counts, Spoils()])

    assert (counts.batches["train"], run.phase("train").batches) == (2, 2)
    run.check_totals()


def test_a_validation_inside_a_batch_ends_batches_of_its_own_alone(tmp_path: Path) -> None:
    class Validates(Callback):
        def on_train_batch_start(self, trainer: Trainer, module: Any, *args: Any) -> None:
            if trainer.global_step == 2:
                trainer.fit_loop.epoch_loop.val_loop.run()
                raise RuntimeError("after the validation")

    counts = Counts()

    run = tiny_run(tmp_path, callbacks=[counts, Validates()])

    assert run.phase("train").batches == counts.batches["train"] == 2
    assert run.phase("validation").batches == counts.batches["validation"]
