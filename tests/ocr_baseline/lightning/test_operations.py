"""Named operations and sections: in steps, in metrics, and in data-loader workers of every kind."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from types import MethodType
from typing import Any

import cv2
import numpy as np
import pyclipper
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from ocr_baseline import PerformanceProfilerCallback
from ocr_baseline.errors import OperationError
from ocr_baseline.measure.sections import is_listening
from ocr_baseline.measure.worker_recorder import WorkerRecorder
from ocr_baseline.model.run import Run
from ocr_baseline.records import reader
from tests.ocr_baseline.lightning import worker_parts
from tests.ocr_baseline.lightning.tiny_runs import (
    CountedMean,
    TinyModule,
    TinyRun,
    loader,
    tiny_run,
)
from tests.ocr_baseline.lightning.worker_parts import (
    COLLATE,
    DECODE,
    DecodedItems,
    DecodedStream,
    StreamOfALoader,
    WritesItsNumber,
)

pytestmark = pytest.mark.slow

EXECUTE = "pyclipper.PyclipperOffset.Execute"
CONTOURS = "cv2.findContours"
METRIC = f"{CountedMean.__module__}.CountedMean"


def profiling(*operations: str) -> PerformanceProfilerCallback:
    return PerformanceProfilerCallback(profile_memory=False, operations=operations)


def recorded(run: TinyRun) -> Run:
    folder = run.profiler.records_folder
    assert folder is not None
    return reader.load(folder)


def calls(run: TinyRun, process: str | None = None) -> Counter[tuple[str, str]]:
    """Calls by operation and stage."""
    counted: Counter[tuple[str, str]] = Counter()
    for operation in recorded(run).operations:
        if process in (None, operation.process):
            counted[operation.name, operation.stage.value] += operation.calls
    return counted


def decoded(count: int, **arguments: Any) -> DataLoader[Any]:
    return DataLoader(DecodedItems(count), batch_size=2, **arguments)


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("interval", [1.0, 2], ids=["at the end", "in the middle"])
def test_forked_workers_count_each_call_for_the_stage_they_work_for(
    persistent: bool, interval: float, tmp_path: Path
) -> None:
    workers: dict[str, Any] = {"num_workers": 2, "persistent_workers": persistent}

    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, decoded(8, **workers), decoded(6, **workers)),
        profiling=profiling(DECODE, EXECUTE, CONTOURS),
        max_epochs=2,
        val_check_interval=interval,
        num_sanity_val_steps=0,
    )

    assert run.ended_by is None
    validations = 2 if interval == 1.0 else 4
    expected = {
        (name, stage): count
        for name in (DECODE, EXECUTE, CONTOURS, "inner")
        for stage, count in (("train", 2 * 8), ("validation", validations * 6))
    }
    assert calls(run, "worker") == expected
    assert calls(run, "main") == {}
    batches = Counter[str]()
    for worker in recorded(run).workers:
        batches[worker.stage.value] += len(worker.start_s)
        assert worker.ready_s is not None
        assert worker.asked_s is not None
        assert 0 <= worker.asked_s <= worker.ready_s
        assert (worker.start_s >= worker.ready_s).all()
    assert batches == {"train": 2 * 4, "validation": validations * 3}


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_kept_workers_that_two_stages_read_count_for_the_one_that_reads_them(
    context: str, tmp_path: Path
) -> None:
    both = decoded(8, num_workers=2, persistent_workers=True, multiprocessing_context=context)

    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, both, both),
        profiling=profiling(DECODE),
        max_epochs=2,
        num_sanity_val_steps=0,
    )

    assert run.ended_by is None
    made = {key: count for key, count in calls(run, "worker").items() if key[0] == DECODE}
    assert made == {(DECODE, "train"): 16, (DECODE, "validation"): 16}
    batches = Counter[str]()
    for worker in recorded(run).workers:
        batches[worker.stage.value] += len(worker.start_s)
        assert worker.prefetch_factor == 2
    assert batches == {"train": 8, "validation": 8}
    slowest = {one.stage.value: one.samples_timed for one in recorded(run).slowest}
    assert slowest == {"train": 16, "validation": 16}


def test_operations_without_workers_are_lines_of_the_breakdown(tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, decoded(8), decoded(6)),
        profiling=profiling(DECODE, EXECUTE),
    )

    assert calls(run, "worker") == {}
    assert calls(run, "main")[EXECUTE, "train"] == 8
    assert calls(run, "main")["inner", "validation"] == 6
    assert {DECODE, EXECUTE, "inner"} <= run.lines_ms("train").keys()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_that_begin_from_nothing_time_the_same_operations(
    method: str, tmp_path: Path
) -> None:
    train = decoded(
        4, num_workers=1, multiprocessing_context=method, collate_fn=worker_parts.collate
    )

    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, train),
        profiling=profiling(DECODE, EXECUTE, CONTOURS, COLLATE),
    )

    assert run.ended_by is None
    counted = calls(run, "worker")
    names = (DECODE, EXECUTE, CONTOURS, COLLATE, "inner")
    assert {name: counted[name, "train"] for name in names} == {
        DECODE: 4,
        EXECUTE: 4,
        CONTOURS: 4,
        COLLATE: 2,
        "inner": 4,
    }


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_that_do_not_find_the_package_work_unmeasured(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program may have put its folder on the path for as long as it took to import it."""
    train: DataLoader[Any] = DataLoader(
        torch.ones(8, 4),  # type: ignore[arg-type]  # a tensor is dataset enough
        batch_size=2,
        num_workers=1,
        multiprocessing_context=method,
    )
    without = [entry for entry in sys.path if not (Path(entry) / "ocr_baseline").is_dir()]

    def fit(trainer: Trainer, module: LightningModule) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "path", without)
            trainer.fit(module, train)

    run = tiny_run(tmp_path, fit, profiling=profiling())

    assert run.ended_by is None
    assert run.phase("train").batches == 4
    assert recorded(run).workers == ()


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    "held",
    [worker_parts.collate, partial(worker_parts.collate), worker_parts.Collator().collate],
    ids=["function", "partial", "method"],
)
def test_a_collate_function_that_the_loader_holds_already_is_timed(
    held: Any, workers: int, tmp_path: Path
) -> None:
    train = decoded(4, num_workers=workers, collate_fn=held)
    method = f"{worker_parts.__name__}.Collator.collate"

    run = tiny_run(tmp_path, lambda t, m: t.fit(m, train), profiling=profiling(COLLATE, method))

    counted = calls(run, "worker" if workers else "main")
    expected = method if isinstance(held, MethodType) else COLLATE
    assert counted == {**counted, (expected, "train"): 2}
    assert train.collate_fn is held


def test_how_far_a_loader_asks_ahead_of_its_workers_is_recorded(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, lambda t, m: t.fit(m, decoded(4, num_workers=2, prefetch_factor=5)))

    assert [worker.prefetch_factor for worker in recorded(run).workers] == [5, 5]


def test_workers_of_a_stream_make_as_many_batches_as_the_trainer_got(tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, DataLoader(DecodedStream(8), batch_size=2, num_workers=2)),
        profiling=profiling(DECODE),
    )

    assert run.ended_by is None
    assert run.phase("train").batches == 4
    assert sum(len(worker.start_s) for worker in recorded(run).workers) == 4
    assert calls(run, "worker")[DECODE, "train"] == 8


def test_the_workers_of_the_sanity_check_that_stay_are_those_of_the_validation(
    tmp_path: Path,
) -> None:
    workers: dict[str, Any] = {"num_workers": 1, "persistent_workers": True}

    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, decoded(4), decoded(6, **workers)),
        profiling=profiling(DECODE),
        num_sanity_val_steps=1,
    )

    assert {worker.stage.value for worker in recorded(run).workers} == {"validation"}


def test_the_workers_of_the_sanity_check_that_end_with_it_are_in_no_phase(tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, decoded(4), decoded(6, num_workers=1)),
        profiling=profiling(DECODE),
        num_sanity_val_steps=1,
    )

    assert calls(run, "worker")[DECODE, "validation"] == 6
    (workers,) = run.baseline.workers
    assert (workers.phase, workers.processes, workers.batches) == ("validation", 1, 3)


def test_the_users_own_start_of_workers_runs_and_stays_the_loaders(tmp_path: Path) -> None:
    begins = WritesItsNumber(tmp_path)
    train = decoded(4, num_workers=2, worker_init_fn=begins)

    run = tiny_run(tmp_path / "run", lambda t, m: t.fit(m, train))

    assert run.ended_by is None
    assert {path.name for path in tmp_path.glob("worker-*")} == {"worker-0", "worker-1"}
    assert train.worker_init_fn is begins


def test_a_worker_that_can_not_start_ends_the_run_as_it_would_alone(tmp_path: Path) -> None:
    train = decoded(4, num_workers=1, worker_init_fn=worker_parts.raises_at_start)

    run = tiny_run(tmp_path, lambda t, m: t.fit(m, train))

    assert isinstance(run.ended_by, ArithmeticError)
    assert run.baseline.run.status == "failed"


def test_a_worker_that_dies_ends_the_run_as_it_would_alone(tmp_path: Path) -> None:
    items = DecodedItems(8, ends_at=5)

    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, DataLoader(items, batch_size=2, num_workers=2)),
        profiling=profiling(DECODE),
    )

    # torch raises what the broken connection gave where it does not find the worker dead yet.
    assert isinstance(run.ended_by, ConnectionError) or "exited unexpectedly" in str(run.ended_by)
    assert run.baseline.run.status == "failed"
    assert len(recorded(run).workers) == 2


class NeverBegins(Callback):
    def __init__(self) -> None:
        self.has_begun = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.has_begun = True


@pytest.mark.parametrize("name", ["cv2.findContour", "no_such_package.function", "cv2"])
def test_a_wrong_name_is_an_error_before_the_fit_begins(name: str, tmp_path: Path) -> None:
    other = NeverBegins()
    originals = cv2.findContours, pyclipper.PyclipperOffset, DataLoader.__iter__

    run = tiny_run(tmp_path, profiling=profiling(CONTOURS, EXECUTE, name), callbacks=[other])

    assert isinstance(run.ended_by, OperationError)
    assert repr(name) in str(run.ended_by)
    assert not other.has_begun
    assert (cv2.findContours, pyclipper.PyclipperOffset, DataLoader.__iter__) == originals


@pytest.mark.usefixtures("simulated_clock")
def test_metrics_that_an_operation_names_are_its_lines_and_others_are_metrics(
    tmp_path: Path,
) -> None:
    unnamed = tiny_run(tmp_path / "unnamed")
    named = tiny_run(tmp_path / "named", profiling=profiling(f"{METRIC}.compute"))
    of_all = tiny_run(
        tmp_path / "all",
        profiling=profiling("torchmetrics.Metric.compute", "torchmetrics.Metric.update"),
    )

    assert unnamed.lines_ms("validation")["metrics"] == 3 * 1.0 + 6.0
    lines = named.lines_ms("validation")
    assert (lines["metrics"], lines[f"{METRIC}.compute"]) == (3.0, 6.0)
    lines = of_all.lines_ms("validation")
    assert "metrics" not in lines
    assert lines["torchmetrics.Metric.compute"] == 6.0
    assert lines["torchmetrics.Metric.update"] == 3.0


@pytest.mark.usefixtures("simulated_clock")
def test_metrics_of_a_test_that_are_made_in_setup_are_timed(tmp_path: Path) -> None:
    class MakesItsMetricLate(TinyModule):
        def setup(self, stage: str) -> None:
            self.metric = CountedMean()

    run = tiny_run(
        tmp_path, lambda t, m: t.test(m, loader(6), verbose=False), module=MakesItsMetricLate()
    )

    assert run.lines_ms("test")["metrics"] == 3.0


@pytest.mark.usefixtures("simulated_clock")
@pytest.mark.parametrize("is_prediction", [False, True])
def test_metrics_used_in_training_or_prediction_are_metrics_too(
    is_prediction: bool, tmp_path: Path
) -> None:
    class Measures(TinyModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.metric.update(batch)
            return super().training_step(batch, batch_idx)

        def predict_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Any:
            self.metric.update(batch)
            return super().predict_step(batch, batch_idx, dataloader_idx)

    run = tiny_run(
        tmp_path,
        (lambda t, m: t.predict(m, loader()))
        if is_prediction
        else (lambda t, m: t.fit(m, loader())),
        module=Measures(),
    )

    phase = "predict" if is_prediction else "train"
    assert run.lines_ms(phase)["metrics"] == 4.0


def test_a_loader_inside_a_stream_inside_a_worker_is_no_batch_of_the_worker(
    tmp_path: Path,
) -> None:
    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, DataLoader(StreamOfALoader(6), batch_size=2, num_workers=1)),
        profiling=profiling(DECODE),
    )

    assert run.ended_by is None
    [worker] = recorded(run).workers
    assert len(worker.start_s) == run.phase("train").batches == 3
    assert calls(run, "worker") == {(DECODE, "train"): 6, ("inner", "train"): 6}


class RefusingLoader(DataLoader[Any]):
    """A loader that tells nobody but torch how far it reads ahead."""

    def __getattribute__(self, name: str) -> Any:
        if name == "prefetch_factor" and "torch" not in sys._getframe(1).f_globals["__name__"]:
            raise RuntimeError("not loaded")
        return super().__getattribute__(name)


def test_a_loader_that_can_not_be_read_trains_and_the_report_says_that_it_was_not_measured(
    tmp_path: Path,
) -> None:
    refusing = RefusingLoader(DecodedItems(4), batch_size=2, num_workers=1)

    run = tiny_run(tmp_path, lambda t, m: t.fit(m, refusing))

    assert run.ended_by is None
    assert run.phase("train").batches == 2
    assert recorded(run).workers == ()
    assert any("RefusingLoader were not measured" in text for text in warnings_of(run))


class NotesItsLoader(Callback):
    """Looks at the loader as the user's code may, while it is iterated."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_train_batch_start(self, trainer: Trainer, *args: Any) -> None:
        self.seen.append(vars(trainer.train_dataloader)["worker_init_fn"])


def test_the_loader_keeps_its_own_worker_init_fn(tmp_path: Path) -> None:
    own, notes = WritesItsNumber(tmp_path), NotesItsLoader()

    run = tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, decoded(4, num_workers=1, worker_init_fn=own)),
        callbacks=[notes],
    )

    assert run.ended_by is None
    assert notes.seen == [own, own]
    assert (tmp_path / "worker-0").exists()
    assert len(recorded(run).workers) == 1


def test_numbers_of_other_libraries_in_a_loader_are_plain_ones_in_the_report(
    tmp_path: Path,
) -> None:
    workers: dict[str, Any] = {"num_workers": np.int64(1), "prefetch_factor": np.int64(3)}

    run = tiny_run(tmp_path, lambda t, m: t.fit(m, decoded(np.int64(4), **workers)))

    assert run.ended_by is None
    identity = run.baseline.environment.identity
    assert (identity["num_workers"], identity["prefetch_factor"]) == (1, 3)
    assert [worker.prefetch_factor for worker in recorded(run).workers] == [3]


def test_a_worker_whose_measuring_fails_works_on_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_fetch = WorkerRecorder.end_fetch

    def fails_later(self: WorkerRecorder, indices: object = None) -> None:
        end_fetch(self, indices)
        if len(self._ends_ns) == 2:
            raise ZeroDivisionError("ours")

    monkeypatch.setattr(WorkerRecorder, "end_fetch", fails_later)

    run = tiny_run(tmp_path, lambda t, m: t.fit(m, decoded(8, num_workers=1)))

    assert run.ended_by is None
    assert run.phase("train").batches == 4
    assert [len(worker.start_s) for worker in recorded(run).workers] == [2]
    [text] = [text for text in warnings_of(run) if "worker 0 of train" in text]
    assert "was not measured any more (ZeroDivisionError: ours)" in text


def warnings_of(run: TinyRun) -> list[str]:
    return run.baseline.measurement.warnings


def test_an_operation_without_a_call_is_told(tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path, lambda t, m: t.fit(m, decoded(2)), profiling=profiling(DECODE, "cv2.imread")
    )

    assert warnings_of(run) == [
        "Operation cv2.imread was named in `operations`, and was never called in this run."
    ]


class MeasuresElsewhere(TinyModule):
    """Its metric is in a plain dictionary, which is no part of the module."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = {"mean": CountedMean()}

    def evaluate(self, batch: Any) -> None:
        self.scores["mean"].update(self.layer(batch))


class MeasuresInACallback(Callback):
    def __init__(self) -> None:
        self.score = CountedMean()

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *args: Any
    ) -> None:
        self.score.update(batch)


@pytest.mark.usefixtures("simulated_clock")
@pytest.mark.parametrize("name", [f"{METRIC}.update", "torchmetrics.Metric.update"])
def test_a_metric_that_an_operation_names_is_timed_wherever_it_is(
    name: str, tmp_path: Path
) -> None:
    run = tiny_run(
        tmp_path,
        module=MeasuresElsewhere(),
        callbacks=[MeasuresInACallback()],
        profiling=profiling(name),
    )

    assert run.ended_by is None
    assert calls(run)[name, "validation"] == 2 * 3
    assert run.lines_ms("validation")[name] == 2 * 3.0


def test_two_trainings_in_threads_leave_nothing_behind(tmp_path: Path) -> None:
    places = [(DataLoader, "__iter__"), (LightningModule, "log"), (worker_parts, "decode")]
    code = [getattr(owner, name).__code__ for owner, name in places]
    contours = cv2.findContours
    runs: dict[str, TinyRun] = {}
    both = threading.Barrier(2, timeout=60)

    class Waits(Callback):
        def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            both.wait()

    def train(name: str, items: int) -> None:
        runs[name] = tiny_run(
            tmp_path / name,
            lambda t, m: t.fit(m, decoded(items)),
            profiling=profiling(DECODE, CONTOURS),
            callbacks=[Waits()],
        )

    threads = [threading.Thread(target=train, args=case) for case in (("a", 4), ("b", 8))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [runs[name].ended_by for name in "ab"] == [None, None]
    for name, items in (("a", 4), ("b", 8)):
        for operation in (DECODE, CONTOURS):
            assert calls(runs[name])[operation, "train"] == items
    assert [getattr(owner, name).__code__ for owner, name in places] == code
    assert cv2.findContours is contours
    assert not is_listening()


class HoldsAFunction(TinyModule):
    """The function is a hyperparameter, which checkpoints hold."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.function = function

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.function(batch_idx)
        return super().training_step(batch, batch_idx)


@pytest.mark.parametrize(
    ("name", "held"),
    [(DECODE, worker_parts.decode), ("cv2.getOptimalDFTSize", cv2.getOptimalDFTSize)],
    ids=["of Python", "of C"],
)
def test_a_checkpoint_may_hold_an_operation(name: str, held: Any, tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path,
        module=HoldsAFunction(held),
        callbacks=[ModelCheckpoint(tmp_path, filename="last")],
        profiling=profiling(name),
        enable_checkpointing=True,
    )

    assert run.ended_by is None
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=False)
    assert checkpoint["hyper_parameters"]["function"] is held
