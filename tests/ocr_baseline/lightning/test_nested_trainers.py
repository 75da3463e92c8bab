"""Trainers inside one another's hooks and steps, and beside each other: each is recorded alone."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.records import reader
from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run, tiny_trainer, work

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("simulated_clock")]

OTHERS_MS = 100.0


class At(Callback):
    """Calls a function once, in a hook."""

    def __init__(self, act: Callable[[Trainer], Any], hook: str = "on_train_epoch_start") -> None:
        self.calls = 0

        def called(trainer: Trainer, *args: Any, **kwargs: Any) -> None:
            self.calls += 1
            if self.calls == 1:
                act(trainer)

        setattr(self, hook, called)


def batches_of(folder: Path) -> dict[str, int | None]:
    baseline = read_baseline(folder / "baseline.json")
    return {phase.name: phase.batches for phase in baseline.phases}


# -- one folder for several runs -----------------------------------------------------------------


@pytest.mark.parametrize("hook", ["on_train_batch_start", "on_train_end", "on_fit_end"])
def test_a_run_inside_another_has_a_folder_beside_it_and_both_have_a_report(
    hook: str, tmp_path: Path
) -> None:
    inner = At(lambda _: tiny_run(tmp_path, max_epochs=3), hook)

    with tiny.log_messages() as messages:
        tiny_run(tmp_path, callbacks=[inner])

    assert batches_of(tmp_path / "baseline") == {"train": 4, "validation": 3}
    assert batches_of(tmp_path / "baseline-2") == {"train": 12, "validation": 9}
    (told,) = messages
    assert f"goes to {tmp_path / 'baseline-2'}" in told


def test_later_stages_of_a_run_inside_another_stay_in_its_folder(tmp_path: Path) -> None:
    runs: list[tiny.TinyRun] = []
    tiny_run(tmp_path, callbacks=[At(lambda _: runs.append(tiny_run(tmp_path)))])

    runs[0].trainer.test(TinyModule(), loader(2), verbose=False)

    assert batches_of(tmp_path / "baseline") == {"train": 4, "validation": 3}
    assert batches_of(tmp_path / "baseline-2") == {"train": 4, "validation": 3, "test": 1}


def test_the_next_run_has_the_folder_again_however_the_one_before_ended(tmp_path: Path) -> None:
    def fails(_: Trainer) -> None:
        raise KeyError("the user's own")

    failed = tiny_run(tmp_path, callbacks=[At(fails, "on_train_end")])
    tiny_run(tmp_path, max_epochs=2)

    assert isinstance(failed.ended_by, KeyError)
    assert batches_of(tmp_path / "baseline") == {"train": 8, "validation": 6}
    assert not (tmp_path / "baseline-2").exists()


def test_the_workers_of_two_runs_at_once_are_each_in_their_own_runs_records(
    tmp_path: Path,
) -> None:
    both = threading.Barrier(2)
    ended: list[BaseException | None] = []

    def run(count: int) -> None:
        meets = At(lambda _: both.wait(timeout=60))
        run = tiny_run(
            tmp_path,
            lambda t, m: t.fit(m, loader(count, num_workers=1, persistent_workers=True)),
            callbacks=[meets],
            max_epochs=2,
            logger=False,  # two that choose a version of one folder at once may share its file
        )
        ended.append(run.ended_by)

    threads = [threading.Thread(target=run, args=(count,)) for count in (6, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ended == [None, None]
    found = {}
    for name in ("baseline", "baseline-2"):
        (worker,) = reader.load(tmp_path / name).workers
        found[batches_of(tmp_path / name)["train"]] = len(worker.start_s)
    assert found == {6: 6, 10: 10}


def test_workers_that_start_after_another_process_took_the_folder_write_nothing_there(
    tmp_path: Path,
) -> None:
    def action(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, loader(num_workers=1))

    other = tiny_run(tmp_path / "other", action).folder / "baseline" / "records"
    records = tmp_path / "baseline" / "records"

    class IsReplaced(Callback):
        def on_train_epoch_end(self, trainer: Trainer, *args: Any) -> None:
            if trainer.current_epoch == 0:
                shutil.rmtree(records)
                shutil.copytree(other, records)

    tiny_run(tmp_path, action, callbacks=[IsReplaced()], max_epochs=2)

    worker = "rank_0_worker_train_0.jsonl"
    assert (records / worker).read_bytes() == (other / worker).read_bytes()


@pytest.mark.parametrize("fails", [False, True])
def test_callbacks_that_are_in_two_trainers_measure_the_outer_one_alone(
    fails: bool, tmp_path: Path
) -> None:
    class Fails(TinyModule):
        def on_train_end(self) -> None:
            if fails:
                raise KeyError("of the one inside")

    def act(_: Trainer) -> None:
        inside = tiny_trainer(tmp_path, callbacks=[profiling, report], max_epochs=3)
        with suppress(KeyError):
            inside.fit(Fails(), loader(), loader(6))

    profiling, report = PerformanceProfilerCallback(), BaselineReportCallback()
    with tiny.log_messages() as messages:
        run = tiny_run(tmp_path, callbacks=[At(act)], profiling=profiling, report=report)

    assert batches_of(tmp_path / "baseline") == {"train": 4, "validation": 3}
    assert run.baseline.run.status == "finished"
    assert ["Give each trainer callbacks of its own" in message for message in messages] == [True]
    run.check_totals()


# -- whose a call is -------------------------------------------------------------------------------


class Others(TinyModule):
    """Another trainer's module: whatever it does takes long."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.log("other", 1.0, batch_size=77)
        return super().training_step(batch, batch_idx)


class SlowSampler(tiny.SlowSampler):
    def __iter__(self) -> Any:
        work(OTHERS_MS)
        return super().__iter__()


def train_another(folder: Path) -> None:
    """Train without our callbacks, a while on the simulated clock."""
    others = tiny_trainer(folder / "other", logger=tiny.SlowCSVLogger(str(folder), name="other"))
    others.fit(Others(), loader(sampler=SlowSampler(8)), loader(6))


def test_callbacks_that_two_threads_set_up_at_once_measure_one_of_the_runs(
    tmp_path: Path,
) -> None:
    ours: list[Callback] = [PerformanceProfilerCallback(), BaselineReportCallback(tmp_path / "b")]
    together = threading.Barrier(2)
    trained: list[int] = []

    class Meets(Callback):
        def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
            together.wait(30.0)

    def train(number: int) -> None:
        trainer = tiny_trainer(tmp_path / str(number), callbacks=[Meets(), *ours], logger=False)
        trainer.fit(TinyModule(), loader())
        trained.append(trainer.global_step)

    threads = [threading.Thread(target=train, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)

    assert trained == [4, 4]
    assert batches_of(tmp_path / "b") == {"train": 4}
    assert "ocr-baseline-heartbeat" not in [one.name for one in threading.enumerate()]


@pytest.mark.parametrize("is_measured", [False, True])
def test_what_another_trainer_logs_and_starts_inside_a_hook_is_the_hooks_time(
    is_measured: bool, tmp_path: Path
) -> None:
    def act(_: Trainer) -> None:
        if is_measured:
            tiny_run(tmp_path, lambda t, m: t.fit(Others(), loader(sampler=SlowSampler(8))))
        else:
            train_another(tmp_path)

    alone = tiny_run(tmp_path / "alone")
    run = tiny_run(tmp_path, callbacks=[At(act, "on_train_batch_start")])

    lines_ms, alone_ms = run.lines_ms("train"), alone.lines_ms("train")
    assert lines_ms.pop("callbacks") > OTHERS_MS
    assert lines_ms == alone_ms
    assert run.lines_ms("validation") == alone.lines_ms("validation")


class SamplesUnknown(TinyModule):
    """Trains another module inside a step whose batch nobody knows the samples of."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__()
        self.act = act

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.act()
        return super().training_step(batch, batch_idx)


def test_the_batch_size_that_another_trainers_module_logs_is_not_this_ones(
    tmp_path: Path,
) -> None:
    batches = DataLoader(tiny.Stream(), batch_size=2, collate_fn=lambda rows: torch.stack(rows))

    def action(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, iter(batches))

    run = tiny_run(tmp_path, action, module=SamplesUnknown(lambda: train_another(tmp_path)))

    assert run.phase("train").samples is None


def test_a_loader_that_a_step_reads_is_the_steps_time_and_its_workers_are_not_the_stages(
    tmp_path: Path,
) -> None:
    class Reads(TinyModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 1:
                list(loader(2, sampler=SlowSampler(2)))
                list(loader(2, num_workers=1))
            return super().training_step(batch, batch_idx)

    run = tiny_run(tmp_path, module=Reads())

    plain_ms = tiny.SAMPLER_MS + 2 * tiny.ITEM_MS
    own_ms = OTHERS_MS + plain_ms + tiny.SAMPLER_MS  # of the second, the sampler runs here
    assert run.lines_ms("train")["forward"] == 4 * tiny.TRAIN_STEP_MS + own_ms
    assert run.lines_ms("train")["loader_startup"] == plain_ms
    assert reader.load(tmp_path / "baseline").workers == ()


def test_a_loader_that_a_dataset_reads_makes_no_fetch_a_start(tmp_path: Path) -> None:
    class Reads(tiny.Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            list(DataLoader(tiny.Items(1)))
            return super().__getitem__(index)

    run = tiny_run(tmp_path, lambda t, m: t.fit(m, DataLoader(Reads(), batch_size=2)))

    lines_ms = run.lines_ms("train")
    assert lines_ms["loader_startup"] == 2 * 2 * tiny.ITEM_MS
    assert lines_ms["data_wait"] == 3 * 2 * 2 * tiny.ITEM_MS


@pytest.mark.parametrize("is_told", [True, False])
def test_the_loader_of_a_validation_that_a_callback_runs_starts_in_the_validation(
    is_told: bool, tmp_path: Path
) -> None:
    def validate(trainer: Trainer) -> None:
        trainer.validating = is_told
        trainer.training = not is_told
        trainer.fit_loop.epoch_loop.val_loop.run()
        trainer.training = True

    run = tiny_run(tmp_path, callbacks=[At(validate)])

    assert run.ended_by is None
    start_ms = tiny.SAMPLER_MS + 2 * tiny.ITEM_MS
    assert run.lines_ms("validation")["loader_startup"] == 2 * start_ms
    assert run.lines_ms("train")["loader_startup"] == start_ms


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
def test_a_child_forked_from_a_run_that_fits_too_has_a_folder_and_records_of_its_own(
    tmp_path: Path,
) -> None:
    ended = []

    def fit_in_a_child(trainer: Trainer) -> None:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # declared nowhere
                ours = [one for one in callbacks if not isinstance(one, At)]
                tiny_trainer(tmp_path, callbacks=ours).fit(TinyModule(), loader())
                status = 7
            finally:
                os._exit(status)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    run = tiny_run(tmp_path, callbacks=[At(fit_in_a_child, "on_train_batch_end")])

    assert ended == [7]
    assert (run.phase("train").batches, run.phase("validation").batches) == (4, 3)
    assert batches_of(tmp_path / "baseline-2")["train"] == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
@pytest.mark.parametrize("has_new_trainer", [False, True])
def test_what_a_child_trains_that_was_forked_after_the_run_is_no_part_of_it(
    has_new_trainer: bool, tmp_path: Path
) -> None:
    callbacks: list[Callback] = [PerformanceProfilerCallback(), BaselineReportCallback()]
    trainer = tiny_trainer(tmp_path, callbacks=callbacks)
    trainer.fit(TinyModule(), loader())
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if has_new_trainer:
                trainer = tiny_trainer(tmp_path, callbacks=callbacks)
            else:
                trainer.fit_loop.max_epochs = 2
            trainer.fit(TinyModule(), loader())
            status = 7
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert batches_of(tmp_path / "baseline")["train"] == 4, "an epoch of the child's alone"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
def test_a_child_that_a_hook_forks_and_ends_keeps_no_handler_of_ours(tmp_path: Path) -> None:
    children: list[int] = []

    def fork(trainer: Trainer) -> None:
        children.append(os.fork())
        if children == [0]:
            raise SystemExit(3)

    here = os.getpid()
    profiler = PerformanceProfilerCallback()
    trainer = tiny_trainer(tmp_path, callbacks=[At(fork, "on_train_batch_end"), profiler])
    try:
        trainer.fit(TinyModule(), loader())
    except SystemExit:
        os._exit(7 if signal.getsignal(signal.SIGURG) is signal.SIG_DFL else 1)
    finally:
        if os.getpid() != here:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7
