"""Whatever fails in the callbacks, and whatever else runs, the training goes on as without them."""

from __future__ import annotations

import copy
import gc
import json
import logging
import multiprocessing.context
import os
import pickle
import shutil
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import psutil
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger, WandbLogger
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.profilers import PassThroughProfiler, Profiler, SimpleProfiler
from lightning.pytorch.tuner.tuning import Tuner
from torch.utils.data import DataLoader, Sampler

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.measure.timeline import Timeline
from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.test_endings import BoomError, alone, outcome, traces
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run, tiny_trainer

pytestmark = pytest.mark.usefixtures("simulated_clock")


# -- one guard ---------------------------------------------------------------------------------

ENTRIES = {
    "a span": (Timeline, "unwind"),
    "a stage's first hook": (Recorder, "open_stage"),
    "a batch's first hook": (Recorder, "begin_batch"),
    "a fetch": (Recorder, "begin_fetch"),
    "the end of a fetch": (Recorder, "end_fetch"),
    "an epoch's end": (Recorder, "end_batches"),
    "a loader's start": (Recorder, "start_loader"),
    "a stage's last hook": (Recorder, "close_stage"),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_failure_of_ours_ends_the_measuring_with_one_warning_and_not_the_training(
    entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name = ENTRIES[entry]
    before = traces()
    calls: list[str] = []
    original = getattr(owner, name)

    def fails_at_the_second_call(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        if len(calls) >= 2:
            raise BoomError("a bug of ours")
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, fails_at_the_second_call)
    if entry == "a span":
        monkeypatch.setattr(Recorder, "span", _unbalanced_span)

    with tiny.log_messages() as messages:
        run = tiny_run(tmp_path / "with", max_epochs=2)
    monkeypatch.undo()
    bare = alone(tmp_path / "without", max_epochs=2)

    assert outcome(run) == outcome(bare)
    assert traces() == before
    stopped = [message for message in messages if "a bug of ours" in message]
    assert len(stopped) == len(messages) == 1
    warnings = run.baseline.measurement.warnings
    assert [w for w in warnings if "measuring stopped" in w and "a bug of ours" in w]
    assert run.baseline.run.status == "finished"


def _unbalanced_span(recorder: Recorder, line: str) -> Any:
    from ocr_baseline.measure.timeline import Span

    class Leaves(Span):
        def __exit__(self, *exc_info: Any) -> None:
            self._timeline.current = -1  # another line than the one that was entered
            super().__exit__(*exc_info)

    return Leaves(recorder.timeline, line)


def test_a_hook_that_fails_ends_the_measuring_and_not_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreadable(DataLoader[torch.Tensor]):
        @property
        def batch_size(self) -> Any:
            raise BoomError("not now")

        @batch_size.setter
        def batch_size(self, value: Any) -> None: ...

    def action(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, Unreadable(tiny.Items(), batch_size=2))

    run = tiny_run(tmp_path / "with", action)
    bare = alone(tmp_path / "without", action)

    assert outcome(run) == outcome(bare)
    assert "batch_size" not in run.baseline.environment.identity


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        {"num_workers": np.int64(1), "prefetch_factor": np.int64(3)},
        {"num_workers": np.minimum(1, 2), "persistent_workers": np.bool_(True)},
    ],
)
def test_loader_arguments_of_other_number_types_are_recorded_as_plain_ones(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    run = tiny_run(tmp_path, lambda t, m: t.fit(m, loader(**arguments)))

    identity = run.baseline.environment.identity
    assert identity["num_workers"] == 1
    assert not [w for w in run.baseline.measurement.warnings if "stopped" in w]
    assert len(list((tmp_path / "baseline" / "records").glob("rank_0_worker_train_*"))) == 1


# -- the user's own profiler -------------------------------------------------------------------


class ReadsProfiler(Callback):
    """Keeps what the profiler looks like as the run goes."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        self.seen.append(trainer.profiler)  # type: ignore[attr-defined]  # declared nowhere


def test_the_profiler_stays_the_users_own_object_with_its_own_attributes(tmp_path: Path) -> None:
    profiler, reads = SimpleProfiler(), ReadsProfiler()
    keys = {*vars(profiler), "_lightning_module"}  # Lightning's own

    run = tiny_run(tmp_path, profiler=profiler, callbacks=[reads])

    assert all(seen is profiler for seen in reads.seen)
    assert set(vars(profiler)) == keys
    assert "profile" not in vars(SimpleProfiler)
    run.check_totals()


@pytest.mark.parametrize("profiler", [None, "simple"])
def test_a_trainer_and_its_profiler_can_be_copied_as_the_run_goes(
    profiler: str | None, tmp_path: Path
) -> None:
    class Copies(Callback):
        def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            copied = copy.deepcopy(trainer)
            own = pickle.loads(pickle.dumps(trainer.profiler))  # type: ignore[attr-defined]  # noqa: S301 - our own object
            with copied.profiler.profile("x"), own.profile("y"):  # type: ignore[attr-defined]  # declared nowhere
                pass

    run = tiny_run(tmp_path, profiler=profiler, callbacks=[Copies()])

    assert run.ended_by is None
    assert run.baseline.operations == []
    run.check_totals()


def test_a_profiler_is_gone_as_soon_as_its_trainer_is(tmp_path: Path) -> None:
    profiler = SimpleProfiler()
    gone = weakref.ref(profiler)
    run = tiny_run(tmp_path, profiler=profiler)
    run.trainer.profiler = PassThroughProfiler()  # type: ignore[attr-defined]  # declared nowhere

    gc.disable()
    try:
        del profiler
        assert gone() is None
    finally:
        gc.enable()


class BusyLogger(DummyLogger):
    """Keeps the processor busy for so long that sampling meets the method in which it does."""

    def log_metrics(self, *args: Any, **kwargs: Any) -> None:
        ends_s = time.thread_time() + 0.1
        while time.thread_time() < ends_s:
            pass


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="sampling needs Linux's timer")
def test_a_trainer_whose_timed_methods_were_sampled_is_gone_after_a_collection(
    tmp_path: Path,
) -> None:
    run = tiny_run(tmp_path, logger=BusyLogger(), log_every_n_steps=1)
    sampled = (tmp_path / "baseline/records/rank_0.jsonl").read_text()
    gone = weakref.ref(run.trainer)

    del run
    gc.collect()

    assert "BusyLogger.log_metrics" in sampled
    assert gone() is None


def test_a_context_of_ones_own_may_ask_what_a_worker_runs(tmp_path: Path) -> None:
    names = []

    class NamesItsTarget(multiprocessing.context.ForkContext):
        def Process(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # a class there
            names.append(kwargs["target"].__name__)
            return super().Process(*args, **kwargs)

    context = NamesItsTarget()
    tiny_run(
        tmp_path,
        lambda t, m: t.fit(m, loader(num_workers=1, multiprocessing_context=context)),
    )

    assert names == ["_worker_loop"]


class WorksInActions(TinyModule):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        with self.trainer.profiler.profile("augment"):  # type: ignore[attr-defined]  # declared nowhere
            tiny.work(5.0)
        with self.trainer.profiler.profile("what comes_next") as name:  # type: ignore[attr-defined]  # declared nowhere
            assert name == "what comes_next"
            tiny.work(1.0)
        return super().training_step(batch, batch_idx)


@pytest.mark.slow
@pytest.mark.parametrize("profiler", [None, "simple", "advanced"])
def test_an_action_of_the_users_own_is_an_operation_of_its_name(
    profiler: str | None, tmp_path: Path
) -> None:
    run = tiny_run(tmp_path, module=WorksInActions(), profiler=profiler)

    lines_ms = run.lines_ms("train")
    assert (lines_ms["augment"], lines_ms["what comes_next"]) == (20.0, 4.0)
    assert lines_ms["forward"] == 4 * tiny.TRAIN_STEP_MS
    calls = {operation.name: operation.calls for operation in run.baseline.operations}
    assert calls == {"augment": 4, "what comes_next": 4}
    run.check_totals()


def test_an_action_whose_name_is_no_text_ends_no_measuring(tmp_path: Path) -> None:
    class Named(TinyModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            profiler: Profiler = self.trainer.profiler  # type: ignore[attr-defined]  # declared nowhere
            with profiler.profile(5):  # type: ignore[arg-type]  # what is tried
                return super().training_step(batch, batch_idx)

    run = tiny_run(tmp_path, module=Named())

    assert run.phase("train").batches == 4


def test_a_profiler_whose_methods_take_more_than_a_name_gets_all_of_it(tmp_path: Path) -> None:
    class Colored(PassThroughProfiler):
        colors: list[str] = []  # noqa: RUF012 - one run's

        @contextmanager
        def profile(self, action_name: str, color: str = "") -> Iterator[None]:
            self.colors.append(color)
            yield

        def start(self, action_name: str, color: str = "") -> None:
            self.colors.append(color)

        stop = start

    class Paints(TinyModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            profiler: Any = self.trainer.profiler  # type: ignore[attr-defined]  # declared nowhere
            with profiler.profile("block", color="blue"):
                profiler.start("span", "red")
                profiler.stop("span", "green")
            return super().training_step(batch, batch_idx)

    profiler = Colored()
    run = tiny_run(tmp_path, module=Paints(), profiler=profiler)

    assert run.ended_by is None
    assert [color for color in profiler.colors if color] == ["blue", "red", "green"] * 4


def test_actions_of_other_threads_leave_the_accounts_alone(tmp_path: Path) -> None:
    class InThreads(Callback):
        def on_train_batch_start(self, trainer: Trainer, *args: Any) -> None:
            def act() -> None:
                backward = f"[Strategy]{type(trainer.strategy).__name__}.backward"
                for name in ("mine", "[_TrainingEpochLoop].train_dataloader_next", backward):
                    with trainer.profiler.profile(name):  # type: ignore[attr-defined]  # declared nowhere
                        tiny.work(1.0)

            thread = threading.Thread(target=act)
            thread.start()
            thread.join()

    run = tiny_run(tmp_path, callbacks=[InThreads()])

    assert run.phase("train").batches == 4
    lines_ms = run.lines_ms("train")
    assert lines_ms["callbacks"] == 4 * 3.0
    assert lines_ms["backward"] == 4 * tiny.BACKWARD_MS
    run.check_totals()


class Delegates(Profiler):
    """A profiler of the user's around another one."""

    def __init__(self, inner: Profiler) -> None:
        super().__init__()
        self.inner = inner

    def start(self, action_name: str) -> None:
        self.inner.start(action_name)

    def stop(self, action_name: str) -> None:
        self.inner.stop(action_name)


def test_a_profiler_that_is_put_there_as_the_run_goes_is_followed(tmp_path: Path) -> None:
    class Exchanges(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            trainer.profiler = Delegates(trainer.profiler)  # type: ignore[attr-defined]  # declared nowhere

    run = tiny_run(tmp_path, callbacks=[Exchanges()], max_epochs=2)

    assert isinstance(run.trainer.profiler, Delegates)  # type: ignore[attr-defined]  # declared nowhere
    assert run.phase("train").batches == 8
    assert run.lines_ms("train")["forward"] == 8 * tiny.TRAIN_STEP_MS


def test_a_wrap_over_the_profilers_method_survives_the_run(tmp_path: Path) -> None:
    calls: list[str] = []

    class Wraps(Callback):
        def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            profiler = trainer.profiler  # type: ignore[attr-defined]  # declared nowhere
            original = profiler.profile

            def wrapped(name: str) -> Any:
                calls.append(name)
                return original(name)

            profiler.profile = wrapped

    run = tiny_run(tmp_path, callbacks=[Wraps()])
    seen = len(calls)
    with run.trainer.profiler.profile("later"):  # type: ignore[attr-defined]  # declared nowhere
        pass

    assert len(calls) == seen + 1
    assert run.phase("train").batches == 4


def test_a_log_handler_that_raises_at_our_warning_ends_no_training(tmp_path: Path) -> None:
    class Raises(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise BoomError("no logging here")

    (tmp_path / "baseline").write_text("a file where the folder should be")
    ours = logging.getLogger("ocr_baseline")
    ours.addHandler(handler := Raises(level=logging.WARNING))
    try:
        run = tiny_run(tmp_path)
    finally:
        ours.removeHandler(handler)

    assert run.ended_by is None


# -- nothing of the user's is touched ------------------------------------------------------------


class DrawsInItsLength(Sampler[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(8))

    def __len__(self) -> int:
        torch.rand(1)
        return 8


class DrawsAsItIsWalkedThrough(TinyModule):
    def named_modules(self, *args: Any, **kwargs: Any) -> Any:
        torch.rand(1)
        return super().named_modules(*args, **kwargs)


class DrawsInItsHparams(TinyModule):
    @property
    def hparams(self) -> Any:
        return {"rate": float(torch.rand(1))}


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [DrawsInItsLength, DrawsAsItIsWalkedThrough, DrawsInItsHparams],
)
def test_reading_what_draws_random_numbers_leaves_them_as_without(
    what: type, tmp_path: Path
) -> None:
    def action(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, loader(sampler=DrawsInItsLength()))

    module = what if issubclass(what, LightningModule) else TinyModule
    run = tiny_run(tmp_path / "with", action, module=module())
    drawn = torch.rand(1)
    alone(tmp_path / "without", action, module=module())

    assert run.ended_by is None
    assert torch.rand(1) == drawn


def test_a_callback_that_compares_to_nothing_is_measured(tmp_path: Path) -> None:
    class Incomparable(Callback):
        def __eq__(self, other: object) -> bool:
            raise BoomError("incomparable")

        __hash__ = Callback.__hash__

    run = tiny_run(tmp_path, callbacks=[Incomparable()])

    assert run.phase("train").batches == 4
    run.check_totals()


# -- the hooks decide which loop runs ----------------------------------------------------------


class Searched(TinyModule):
    def __init__(self) -> None:
        super().__init__()
        self.lr = 0.1
        self.batch_size = 2

    def train_dataloader(self) -> Any:
        return loader(batch_size=self.batch_size)

    def val_dataloader(self) -> Any:
        return loader(6, batch_size=self.batch_size)


class SearchesAt(LearningRateFinder):
    """Searches at the start of the second epoch, in a hook that is called at other times too."""

    def __init__(self, hook: str) -> None:
        super().__init__(num_training_steps=3)
        self.searches = 0
        setattr(self, hook, self.search)

    def on_fit_start(self, *args: Any) -> None: ...

    def search(self, trainer: Trainer, module: LightningModule, *args: Any) -> None:
        if trainer.current_epoch == 1 and not self.searches:
            self.searches += 1
            self.lr_find(trainer, module)


@pytest.mark.slow
@pytest.mark.parametrize("hook", ["on_train_epoch_start", "on_train_epoch_end"])
def test_a_learning_rate_search_inside_an_epoch_is_apart_from_the_training(
    hook: str, tmp_path: Path
) -> None:
    finder = SearchesAt(hook)
    run = tiny_run(
        tmp_path, lambda t, m: t.fit(m), module=Searched(), callbacks=[finder], max_epochs=3
    )

    assert run.ended_by is None
    assert finder.searches == 1
    assert (run.phase("train").batches, run.phase("train").epochs) == (12, 3)
    assert (run.phase("validation").batches, run.phase("validation").epochs) == (9, 3)


@pytest.mark.slow
def test_a_batch_size_search_in_a_validation_is_no_epoch_of_it(tmp_path: Path) -> None:
    class InValidation(BatchSizeFinder):
        def __init__(self) -> None:
            super().__init__(max_trials=1, init_val=2)

    run = tiny_run(
        tmp_path, lambda t, m: t.validate(m), module=Searched(), callbacks=[InValidation()]
    )

    assert run.ended_by is None
    assert run.phase("validation").epochs == 1


def test_a_validation_that_a_callback_runs_is_a_validation(tmp_path: Path) -> None:
    class Validates(Callback):
        def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
            if trainer.current_epoch == 1:
                trainer.validating = True
                trainer.fit_loop.epoch_loop.val_loop.run()
                trainer.training = True

    run = tiny_run(tmp_path, callbacks=[Validates()], max_epochs=2)

    assert run.ended_by is None
    assert (run.phase("train").batches, run.phase("train").epochs) == (8, 2)
    assert (run.phase("validation").batches, run.phase("validation").epochs) == (9, 3)
    run.check_totals()


def test_a_trainer_inside_a_hook_that_shares_the_profiler_is_not_this_run(tmp_path: Path) -> None:
    shared = SimpleProfiler()

    class RunsAnother(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            inner = tiny.tiny_trainer(tmp_path / "inner", profiler=shared, logger=False)
            inner.fit(TinyModule(), loader(), loader(4))

    run = tiny_run(tmp_path, profiler=shared, callbacks=[RunsAnother()], max_epochs=2)

    assert run.ended_by is None
    assert (run.phase("train").batches, run.phase("train").epochs) == (8, 2)
    assert (run.phase("validation").batches, run.phase("validation").epochs) == (6, 2)


# -- never alone -------------------------------------------------------------------------------


def test_trainers_in_two_threads_are_each_recorded_alone_and_leave_no_trace(
    tmp_path: Path,
) -> None:
    before = traces()
    runs: dict[str, tiny.TinyRun] = {}
    both = threading.Barrier(2)

    class Meets(Callback):
        def on_train_epoch_start(self, *args: Any) -> None:
            both.wait(timeout=60)

    def run(name: str, batches: int) -> None:
        runs[name] = tiny_run(
            tmp_path / name,
            lambda t, m: t.fit(m, loader(2 * batches), loader(6)),
            callbacks=[Meets()],
        )

    threads = [threading.Thread(target=run, args=arguments) for arguments in (("a", 3), ("b", 6))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert traces() == before
    assert {name: run.phase("train").batches for name, run in runs.items()} == {"a": 3, "b": 6}


def test_an_error_inside_a_tuners_trial_ends_the_heartbeat_and_leaves_no_trace(
    tmp_path: Path,
) -> None:
    before = traces()

    class Breaks(Searched):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            raise BoomError("in a trial")

    run = tiny_run(tmp_path, lambda t, m: Tuner(t).lr_find(m, num_training=3), module=Breaks())

    assert isinstance(run.ended_by, BoomError)
    assert traces() == before
    assert "ocr-baseline-heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_an_error_inside_a_tuners_trial_is_in_the_report_of_what_ran_before(tmp_path: Path) -> None:
    class Breaks(Searched):
        def on_train_start(self) -> None:
            if not isinstance(self.trainer.callbacks[-1], BaselineReportCallback):  # type: ignore[attr-defined]  # declared nowhere
                raise BoomError("in a trial")

    def action(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module)
        trainer.fit_loop.max_epochs = 2
        Tuner(trainer).lr_find(module, num_training=3)

    run = tiny_run(tmp_path, action, module=Breaks())

    assert isinstance(run.ended_by, BoomError)
    assert (run.baseline.run.status, run.baseline.run.ended_by) == (
        "failed",
        "BoomError: in a trial",
    )
    assert run.phase("train").batches == 4


@pytest.mark.slow
def test_a_test_by_a_trainer_of_its_own_leaves_the_trainings_environment(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, accumulate_grad_batches=2)
    for_test = tiny.tiny_trainer(tmp_path, callbacks=[run.profiler, run.report])

    for_test.test(run.module, loader(), verbose=False)

    assert run.phase_names == ["train", "validation", "test"]
    assert run.baseline.environment.identity["accumulate_grad_batches"] == 2


def test_a_run_whose_records_another_process_replaced_writes_no_report_over_it(
    tmp_path: Path,
) -> None:
    other = tiny_run(tmp_path / "other", max_epochs=3)

    class IsReplaced(Callback):
        def on_train_end(self, *args: Any) -> None:
            shutil.rmtree(tmp_path / "baseline")
            shutil.copytree(other.folder / "baseline", tmp_path / "baseline")

    with tiny.log_messages() as messages:
        run = tiny_run(tmp_path, callbacks=[IsReplaced()])

    assert run.phase("train").batches == 12, "the other run's own report"
    assert [message for message in messages if "Another run's records took" in message]


def test_a_stage_over_the_records_of_a_run_that_has_not_ended_leaves_them_alone(
    tmp_path: Path,
) -> None:
    run = tiny_run(tmp_path)
    other = tmp_path / "baseline" / "records" / "rank_0.jsonl"
    begun = json.loads(other.read_text().splitlines()[0]) | {"recording": "another"}
    other.unlink()
    other.write_text(json.dumps(begun) + "\n")
    report = (tmp_path / "baseline" / "baseline.json").read_bytes()

    with tiny.log_messages() as messages:
        run.trainer.test(TinyModule(), loader(2), verbose=False)

    assert (tmp_path / "baseline" / "baseline.json").read_bytes() == report
    (stopped,) = [message for message in messages if "Performance measuring stopped" in message]
    assert "another run that hasn't ended" in stopped


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["fit", "validate"])
def test_a_trainer_that_is_kept_holds_no_file_open(entry: str, tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    if entry == "validate":
        run.trainer.validate(TinyModule(), loader(2), verbose=False)

    open_paths = [file.path for file in psutil.Process().open_files()]
    assert not [path for path in open_paths if path.startswith(str(tmp_path))]


def test_a_relative_folder_is_the_one_that_the_run_began_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    class Moves(Callback):
        def on_train_start(self, *args: Any) -> None:
            os.chdir(tmp_path / "elsewhere")

    tiny_run(
        tmp_path,
        callbacks=[Moves()],
        profiling=PerformanceProfilerCallback(output_dir="out", profile_memory=False),
        report=BaselineReportCallback(output_dir="out"),
    )

    assert (tmp_path / "out" / "baseline.json").is_file()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_callback_that_takes_ours_out_of_the_trainer_ends_the_measuring_with_the_run(
    tmp_path: Path,
) -> None:
    before = traces()

    class TakesOut(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            if trainer.global_step == 2:
                trainer.callbacks[:] = [self]  # type: ignore[attr-defined]  # declared nowhere

    run = tiny_run(tmp_path, callbacks=[TakesOut()])

    assert run.ended_by is None
    assert traces() == before
    assert "ocr-baseline-heartbeat" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
def test_a_forked_child_that_exits_writes_nothing_of_its_parents(tmp_path: Path) -> None:
    class Forks(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            if trainer.global_step != 2:
                return
            child = os.fork()
            if child == 0:
                raise SystemExit(7)
            os.waitpid(child, 0)

    def action(trainer: Trainer, module: LightningModule) -> None:
        parent = os.getpid()
        try:
            tiny.fit(trainer, module)
        finally:
            if os.getpid() != parent:
                os._exit(0)

    run = tiny_run(tmp_path, action, callbacks=[Forks()])

    assert run.phase("train").batches == 4
    assert run.baseline.run.status == "finished"


def test_a_run_that_fails_at_its_start_keeps_the_report_before_it(tmp_path: Path) -> None:
    tiny_run(tmp_path)

    class FailsAtOnce(TinyModule):
        def configure_optimizers(self) -> Any:
            raise BoomError("a typing error")

    run = tiny_run(tmp_path, module=FailsAtOnce())

    assert isinstance(run.ended_by, BoomError)
    assert run.baseline.run.status == "finished"
    assert run.phase("train").batches == 4


def test_a_fit_that_is_refused_begins_none_of_its_loggers(tmp_path: Path) -> None:
    class Manual(TinyModule):
        automatic_optimization = False

    places = tmp_path / "tensorboard", tmp_path / "csv", tmp_path / "wandb"
    loggers = [
        TensorBoardLogger(places[0]),
        CSVLogger(places[1]),
        WandbLogger(save_dir=places[2], offline=True),
    ]
    trainer = Trainer(
        accelerator="cpu",
        logger=loggers,
        gradient_clip_val=1.0,  # nothing for a module that optimizes by itself
        default_root_dir=tmp_path,
        callbacks=[PerformanceProfilerCallback(), BaselineReportCallback()],
    )

    with pytest.raises(Exception, match="gradient clipping"):
        trainer.fit(Manual(), loader())

    assert [file for place in places for file in place.rglob("*") if file.is_file()] == []


def test_a_clock_that_a_program_puts_in_the_place_of_pythons_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked_by = time.monotonic, []

    def monotonic() -> float:
        asked_by.append(str(sys._getframe(1).f_globals["__name__"]))
        return real()

    with monkeypatch.context() as patched:
        patched.setattr(time, "monotonic", monotonic)
        tiny_run(tmp_path, profiling=PerformanceProfilerCallback(log_interval=1))

    assert not [name for name in asked_by if name.startswith("ocr_baseline")]


@pytest.mark.parametrize("name", ["pathlib.Path.open", "builtins.open"])
def test_mocks_in_the_place_of_what_opens_files_end_no_training(tmp_path: Path, name: str) -> None:
    with mock.patch(name, mock.mock_open(read_data="x")):
        run = tiny_run(tmp_path, logger=False)

    assert run.ended_by is None
    assert run.trainer.state.status == "finished"


def test_a_program_that_forbids_threads_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("no threads in this test")

    with monkeypatch.context() as patched:
        patched.setattr(threading, "Thread", forbidden)
        run = tiny_run(tmp_path)

    assert run.ended_by is None
    assert run.trainer.state.status == "finished"


def test_what_stands_in_the_place_of_a_callback_is_asked_what_the_trainer_asks_it(
    tmp_path: Path,
) -> None:
    def asked(folder: Path, **arguments: Any) -> Counter[str]:
        stand_in = mock.create_autospec(Callback, instance=True)
        stand_in.state_key = "mock"
        stand_in.state_dict.return_value = {}
        tiny_trainer(folder, callbacks=[stand_in, *arguments.get("ours", [])]).fit(
            TinyModule(), loader()
        )
        return Counter(str(call[0]) for call in stand_in.mock_calls)

    ours = [PerformanceProfilerCallback(), BaselineReportCallback(tmp_path / "ours")]
    assert asked(tmp_path / "with", ours=ours) == asked(tmp_path / "alone")


def test_threads_are_of_the_class_that_a_library_has_put_in_the_place_of_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As gevent does, which sees the end of no thread of another class."""
    pythons = threading.Thread
    start = pythons.start
    kinds: dict[str, type] = {}

    class Greenlet(pythons):  # type: ignore[misc, valid-type]  # the class as it was
        pass

    def noted_start(thread: threading.Thread) -> None:
        kinds[thread.name] = type(thread)
        start(thread)

    monkeypatch.setattr(pythons, "start", noted_start)
    monkeypatch.setattr(threading, "Thread", Greenlet)
    run = tiny_run(tmp_path)

    assert run.phase("train").batches == 4
    ours = {name: kind for name, kind in kinds.items() if name.startswith("ocr-baseline")}
    assert {"ocr-baseline-heartbeat", "ocr-baseline-probe", "ocr-baseline-sigterm"} <= set(ours)
    assert set(ours.values()) == {Greenlet}


def test_where_no_thread_may_be_started_the_fit_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name.startswith("ocr-baseline"):
            raise AssertionError("no threads in tests")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    run = tiny_run(tmp_path)

    assert run.ended_by is None
    assert run.trainer.state.finished
