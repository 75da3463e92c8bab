"""What each way to run a trainer reports, on a simulated clock: exact times, exact counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.tuner.tuning import Tuner
from lightning_utilities.core.imports import RequirementCache
from torch.utils.data import DataLoader

from ocr_baseline import PerformanceProfilerCallback, section
from ocr_baseline.records import reader
from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run, work

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("simulated_clock")]


def test_every_line_of_an_epoch_is_charged_to_the_nanosecond(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, callbacks=[tiny.BusyCallback()], enable_checkpointing=True)

    run.check_totals()
    assert run.lines_ms("train") == {
        "data_wait": 3 * 2 * tiny.ITEM_MS,
        "loader_startup": tiny.SAMPLER_MS + 2 * tiny.ITEM_MS,
        "transfer": 4 * tiny.TRANSFER_MS,
        "forward": 4 * tiny.TRAIN_STEP_MS,
        "backward": 4 * tiny.BACKWARD_MS,
        "optimizer": 4 * tiny.OPTIMIZER_MS,
        "callbacks": 4 * tiny.HOOK_MS,
        "checkpoint": tiny.CHECKPOINT_MS,
        "logging": 4 * tiny.LOG_MS,
    }
    assert run.lines_ms("validation") == {
        "data_wait": 2 * 2 * tiny.ITEM_MS,
        "loader_startup": tiny.SAMPLER_MS + 2 * tiny.ITEM_MS,
        "transfer": 3 * tiny.TRANSFER_MS,
        "forward": 3 * tiny.EVALUATION_STEP_MS,
        "metrics": 3 * tiny.METRIC_UPDATE_MS + tiny.METRIC_COMPUTE_MS,
        "module_hooks": tiny.EPOCH_END_MS,
        "callbacks": 3 * tiny.HOOK_MS,
        "logging": tiny.LOG_MS,
    }
    assert (run.phase("train").batches, run.phase("train").samples) == (4, 8)
    assert (run.phase("validation").batches, run.phase("validation").samples) == (3, 6)


def fit_with(train: Any, *validation: Any) -> Any:
    def action(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, train, list(validation) or None)

    return action


class ManualModule(TinyModule):
    """Two optimizers, stepped by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Any, batch_idx: int) -> None:
        work(tiny.TRAIN_STEP_MS)
        for optimizer in self.optimizers():  # type: ignore[union-attr]  # a list, as there are two
            optimizer.zero_grad()
            self.manual_backward(self.loss_of(batch))
            optimizer.step()

    def configure_optimizers(self) -> Any:
        return [tiny.SlowSGD(self.parameters(), lr=0.1), tiny.SlowSGD(self.parameters(), lr=0.01)]


class ClosureModule(ManualModule):
    """Hands its step to each optimizer as a closure."""

    def training_step(self, batch: Any, batch_idx: int) -> None:
        for optimizer in self.optimizers():  # type: ignore[union-attr]  # a list, as there are two
            optimizer.step(closure=lambda: self.closure(batch))

    def closure(self, batch: Any) -> None:
        work(tiny.TRAIN_STEP_MS)
        self.manual_backward(self.loss_of(batch))


class IteratorModule(TinyModule):
    """Takes its batches itself from the `dataloader_iter`."""

    def training_step(self, dataloader_iter: Any) -> Any:  # type: ignore[override]  # Lightning tells the flavour by the argument's name
        batch, _, _ = next(dataloader_iter)
        work(tiny.TRAIN_STEP_MS)
        return self.loss_of(batch)


class NoTensorModule(TinyModule):
    """Batches are words; the model sees none of them."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return super().training_step(torch.ones(2, 4), batch_idx)


class PlainLoader:
    """Any iterable will do for a trainer."""

    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter([torch.ones(3, 4), torch.ones(2, 4)])


def words() -> DataLoader[Any]:
    return DataLoader([["a", "b"], ["c", "d"]], batch_size=None)  # type: ignore[arg-type]  # a list is dataset enough


CASES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "several epochs": ({"max_epochs": 3}, {"train": 12, "validation": 9}),
    "gradient accumulation": ({"accumulate_grad_batches": 3}, {"train": 4, "validation": 3}),
    "validation inside an epoch": ({"val_check_interval": 2}, {"train": 4, "validation": 6}),
    "validation after each batch": ({"val_check_interval": 1}, {"train": 4, "validation": 12}),
    "validation every second epoch": (
        {"max_epochs": 4, "check_val_every_n_epoch": 2},
        {"train": 16, "validation": 6},
    ),
    "validation by batches over epochs": (
        {"max_epochs": 3, "check_val_every_n_epoch": None, "val_check_interval": 6},
        {"train": 12, "validation": 6},
    ),
    "sanity check": ({"num_sanity_val_steps": 2}, {"train": 4, "validation": 3}),
    "no validation batches": ({"limit_val_batches": 0}, {"train": 4}),
    "fewer batches": (
        {"limit_train_batches": 2, "limit_val_batches": 1},
        {"train": 2, "validation": 1},
    ),
    "fast_dev_run": ({"fast_dev_run": True}, {"train": 1, "validation": 1}),
    "fast_dev_run of two batches": ({"fast_dev_run": 2}, {"train": 2, "validation": 2}),
    "overfit_batches": (
        {"overfit_batches": 2, "max_epochs": 2},
        {"train": 4, "validation": 4},
    ),
    "max_steps inside an epoch": (
        {"max_epochs": -1, "max_steps": 6},
        {"train": 6, "validation": 3},
    ),
    "reloaded loaders": (
        {"max_epochs": 2, "reload_dataloaders_every_n_epochs": 1},
        {"train": 8, "validation": 6},
    ),
    "no logger": ({"logger": False}, {"train": 4, "validation": 3}),
}


@pytest.mark.parametrize("case", CASES)
def test_each_way_to_fit_counts_its_batches_and_agrees_with_the_stopwatch(
    case: str, tmp_path: Path
) -> None:
    arguments, batches = CASES[case]

    run = tiny_run(tmp_path, **arguments)

    assert run.ended_by is None
    assert run.baseline.run.status == "finished"
    assert {name: run.phase(name).batches for name in run.phase_names} == batches
    run.check_totals()


MODULES: dict[str, tuple[type[TinyModule], Any, dict[str, int]]] = {
    "manual optimization, two optimizers": (
        ManualModule,
        lambda: (loader(), loader(6)),
        {"train": 4, "validation": 3},
    ),
    "dataloader_iter": (
        IteratorModule,
        lambda: (loader(), loader(6)),
        {"train": 4, "validation": 3},
    ),
    "streams without length": (
        TinyModule,
        lambda: (
            DataLoader(tiny.Stream(8), batch_size=2),
            DataLoader(tiny.Stream(6), batch_size=2),
        ),
        {"train": 4, "validation": 3},
    ),
    "no validation": (TinyModule, lambda: (loader(),), {"train": 4}),
    "several validation loaders": (
        TinyModule,
        lambda: (loader(), loader(6), loader(2)),
        {"train": 4, "validation": 4},
    ),
    "an empty validation loader between others": (
        TinyModule,
        lambda: (loader(), loader(6), loader(0), loader(2)),
        {"train": 4, "validation": 4},
    ),
    "batches without tensors": (NoTensorModule, lambda: (words(),), {"train": 2}),
    "a loader that isn't a DataLoader": (
        TinyModule,
        lambda: (PlainLoader(), loader(6)),
        {"train": 2, "validation": 3},
    ),
}


@pytest.mark.parametrize("case", MODULES)
@pytest.mark.parametrize("epochs", [1, 2])
def test_each_kind_of_module_and_loader_agrees_with_the_stopwatch(
    case: str, epochs: int, tmp_path: Path
) -> None:
    module_class, loaders, batches = MODULES[case]

    run = tiny_run(tmp_path, fit_with(*loaders()), module=module_class(), max_epochs=epochs)

    assert run.ended_by is None
    counted = {name: run.phase(name).batches for name in run.phase_names}
    assert counted == {name: count * epochs for name, count in batches.items()}
    assert run.phase("train").epochs == epochs
    run.check_totals()


def test_manual_optimization_is_backward_and_optimizer_not_forward(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, module=ManualModule())

    lines = run.lines_ms("train")
    assert lines["forward"] == 4 * tiny.TRAIN_STEP_MS
    assert lines["backward"] == 2 * 4 * tiny.BACKWARD_MS
    assert lines["optimizer"] == 2 * 4 * tiny.OPTIMIZER_MS


def test_a_closure_given_to_an_optimizer_is_part_of_the_step(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, module=ClosureModule())

    lines = run.lines_ms("train")
    assert lines["forward"] == 2 * 4 * tiny.TRAIN_STEP_MS
    assert lines["backward"] == 2 * 4 * tiny.BACKWARD_MS
    assert lines["optimizer"] == 2 * 4 * tiny.OPTIMIZER_MS


def test_batches_of_unknown_size_leave_samples_unmeasured(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, fit_with(words()), module=NoTensorModule())

    phase = run.phase("train")
    assert (phase.batches, phase.samples, phase.sample_time_s) == (2, None, None)


def test_each_validation_loader_has_a_phase_of_its_own(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, fit_with(loader(), loader(6), loader(2)))

    phases = [p for p in run.baseline.phases if p.dataloader is not None]
    assert [(p.name, p.dataloader, p.batches) for p in phases] == [
        ("validation", 0, 3),
        ("validation", 1, 1),
    ]


def test_the_sanity_check_is_apart_from_the_validation(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, num_sanity_val_steps=2)

    recorded = run.profiler.records_folder
    assert recorded is not None
    measurement = reader.load(recorded).measurement
    assert measurement.sanity_check_batches == 2
    assert measurement.sanity_check_s == pytest.approx(run.stopwatch.sanity_ns * 1e-9)
    assert run.phase("validation").epochs == 1


@pytest.mark.parametrize(
    ("entry_point", "phase"),
    [("validate", "validation"), ("test", "test"), ("predict", "predict")],
)
def test_an_evaluation_alone_is_reported(entry_point: str, phase: str, tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path, lambda trainer, module: getattr(trainer, entry_point)(module, loader(6))
    )

    assert run.ended_by is None
    assert run.baseline.run.status == "finished"
    assert run.phase_names == [phase]
    assert (run.phase(phase).batches, run.phase(phase).samples) == (3, 6)
    run.check_totals()


def test_a_training_of_no_batches_is_reported_as_no_training(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, limit_train_batches=0)

    assert run.ended_by is None
    assert run.phase_names == []
    assert run.baseline.run.status == "finished"
    assert any(entry.metric == "phases" for entry in run.baseline.missing)


def test_a_test_after_the_fit_renews_the_report(tmp_path: Path) -> None:
    def action(trainer: Trainer, module: LightningModule) -> None:
        tiny.fit(trainer, module)
        trainer.test(module, loader(4))

    run = tiny_run(tmp_path, action)

    assert run.phase_names == ["train", "validation", "test"]
    assert run.phase("test").batches == 2
    run.check_totals()


def test_two_fits_of_one_trainer_add_up(tmp_path: Path) -> None:
    def action(trainer: Trainer, module: LightningModule) -> None:
        tiny.fit(trainer, module)
        trainer.fit_loop.max_epochs = 2
        tiny.fit(trainer, module)

    run = tiny_run(tmp_path, action)

    assert run.phase("train").batches == 8
    assert run.phase("train").epochs == 2
    run.check_totals()


def test_a_fit_that_stops_early_is_finished(tmp_path: Path) -> None:
    class StopsEarly(TinyModule):
        def on_train_batch_end(self, *args: Any) -> None:
            if self.global_step == 6:
                self.trainer.should_stop = True

    run = tiny_run(tmp_path, module=StopsEarly(), max_epochs=5)

    assert run.phase("train").batches == 6
    assert run.baseline.run.status == "finished"
    run.check_totals()


def test_an_epoch_that_a_hook_skips_ends_there(tmp_path: Path) -> None:
    class Skips(TinyModule):
        def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
            return -1 if batch_idx == 2 else None

    run = tiny_run(tmp_path, module=Skips(), max_epochs=2)

    assert run.ended_by is None
    run.check_totals()


def test_a_run_resumed_from_a_checkpoint_reports_what_it_ran(tmp_path: Path) -> None:
    first = tiny_run(tmp_path / "first", max_epochs=1)
    checkpoint = tmp_path / "last.ckpt"
    first.trainer.save_checkpoint(checkpoint)

    resumed = tiny_run(
        tmp_path / "second",
        lambda trainer, module: trainer.fit(module, loader(), loader(6), ckpt_path=checkpoint),
        max_epochs=3,
    )

    assert resumed.ended_by is None
    assert resumed.phase("train").batches == 8
    resumed.check_totals()


def test_a_run_resumed_in_the_middle_of_an_epoch_reports_what_it_ran(tmp_path: Path) -> None:
    first = tiny_run(tmp_path / "first", max_epochs=-1, max_steps=2)
    checkpoint = tmp_path / "last.ckpt"
    first.trainer.save_checkpoint(checkpoint)

    resumed = tiny_run(
        tmp_path / "second",
        lambda trainer, module: trainer.fit(module, loader(), loader(6), ckpt_path=checkpoint),
        max_epochs=2,
    )

    assert resumed.ended_by is None
    resumed.check_totals()


def test_a_barebones_trainer_is_reported(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, barebones=True)

    assert run.ended_by is None
    assert run.phase("train").batches == 4


def test_validation_is_never_part_of_training(tmp_path: Path) -> None:
    without = tiny_run(tmp_path / "without", limit_val_batches=0)
    inside = tiny_run(tmp_path / "inside", val_check_interval=1)

    assert inside.phase("train").total_s == pytest.approx(without.phase("train").total_s, rel=1e-6)


def test_a_tuners_trials_are_part_of_the_setup(tmp_path: Path) -> None:
    class Tunable(TinyModule):
        lr = 0.1

    def action(trainer: Trainer, module: LightningModule) -> None:
        Tuner(trainer).lr_find(module, loader(), num_training=5)
        tiny.fit(trainer, module)

    plain = tiny_run(tmp_path / "plain")
    tuned = tiny_run(tmp_path / "tuned", action, module=Tunable())

    assert tuned.ended_by is None
    for name in ("train", "validation"):
        assert tuned.phase(name).batches == plain.phase(name).batches
        assert tuned.phase(name).total_s == pytest.approx(plain.phase(name).total_s)


def test_a_trainer_in_another_thread_is_accounted_as_in_the_main_one(tmp_path: Path) -> None:
    runs: list[tiny.TinyRun] = []
    thread = threading.Thread(target=lambda: runs.append(tiny_run(tmp_path)))
    thread.start()
    thread.join()

    assert runs[0].ended_by is None
    runs[0].check_totals()
    assert runs[0].lines_ms("train")["logging"] == 4 * tiny.LOG_MS


def test_a_run_inside_another_leaves_the_outer_one_its_sections(tmp_path: Path) -> None:
    class Sections(TinyModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            with section("mine"):
                return super().training_step(batch, batch_idx)

    class RunsAnother(Callback):
        def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            inner = tiny_run(
                tmp_path / "inner", lambda t, m: t.validate(m, loader(4), verbose=False)
            )
            inner.check_totals()

    run = tiny_run(tmp_path / "outer", module=Sections(), callbacks=[RunsAnother()], max_epochs=2)

    run.check_totals()
    assert [(op.name, op.calls) for op in run.baseline.operations] == [("mine", 8)]


def test_a_second_profiler_is_a_warning_and_changes_nothing(tmp_path: Path) -> None:
    original = DataLoader.__iter__
    second = PerformanceProfilerCallback(profile_memory=False)

    with tiny.log_messages() as messages:
        run = tiny_run(tmp_path, callbacks=[second])

    assert len(messages) == 1
    assert DataLoader.__iter__ is original
    run.profiler = second
    run.check_totals()


EVERYDAY: dict[str, dict[str, Any]] = {
    "early stopping": {
        "callbacks": [EarlyStopping("val_mean", patience=1, min_delta=100.0)],
        "max_epochs": 6,
    },
    "mixed precision": {"precision": "bf16-mixed"},
    "gradient clipping and anomaly detection": {"gradient_clip_val": 1.0, "detect_anomaly": True},
    "no inference mode": {"inference_mode": False},
    "max_time": {"max_time": {"minutes": 5}, "max_epochs": 2},
    **(
        {"validation by the clock": {"val_check_interval": timedelta(seconds=0)}}
        if RequirementCache("lightning>=2.6.0")  # the first that takes a duration
        else {}
    ),
    "a checkpoint after each step": {"enable_checkpointing": True},
}


@pytest.mark.parametrize("case", EVERYDAY)
def test_everyday_settings_agree_with_the_stopwatch(case: str, tmp_path: Path) -> None:
    arguments = dict(EVERYDAY[case])
    if case.startswith("a checkpoint"):
        arguments["callbacks"] = [ModelCheckpoint(tmp_path, every_n_train_steps=1, save_last=True)]

    run = tiny_run(tmp_path, **arguments)

    assert run.ended_by is None
    assert run.baseline.run.status == "finished"
    run.check_totals()
