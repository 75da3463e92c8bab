"""However a training ends, it ends as it would alone, is reported truly, and leaves no trace."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import StochasticWeightAveraging
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.loops import fetchers
from lightning.pytorch.profilers import PassThroughProfiler, SimpleProfiler
from torch.utils.data import DataLoader, Dataset, dataloader

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.measure import folder_answer, sections
from ocr_baseline.recording import recording
from ocr_baseline.records import reader
from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.tiny_runs import (
    SlowCSVLogger,
    TinyModule,
    TinyRun,
    loader,
    tiny_run,
    tiny_trainer,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("simulated_clock")]


class BoomError(RuntimeError):
    """The user's own trouble."""


class Raises(Callback):
    """Raises in one of its hooks, at the second time that it is called."""

    def __init__(self, hook: str, error: BaseException, at_call: int = 2) -> None:
        self.calls = 0

        def raising(*args: Any, **kwargs: Any) -> None:
            self.calls += 1
            if self.calls == at_call:
                raise error

        setattr(self, hook, raising)


class RaisesInStep(TinyModule):
    def __init__(self, step: str, error: BaseException) -> None:
        super().__init__()
        self.step = step
        self.error = error

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        if self.step == "training_step" and batch_idx == 2:
            raise self.error
        return super().training_step(batch, batch_idx)

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        if self.step == "validation_step" and batch_idx == 1:
            raise self.error
        super().validation_step(batch, batch_idx, dataloader_idx)

    def configure_optimizers(self) -> Any:
        if self.step == "configure_optimizers":
            raise self.error
        return super().configure_optimizers()


class BrokenItems(Dataset[torch.Tensor]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> torch.Tensor:
        if index == 5:
            raise BoomError("item 5")
        return torch.ones(4)


def traces() -> list[object]:
    """Everything that a recorded run replaces, as it is now."""
    return [
        DataLoader.__iter__,
        dataloader._MultiProcessingDataLoaderIter._shutdown_workers,
        fetchers._DataFetcher.__iter__,
        fetchers._PrefetchDataFetcher.__iter__,
        LightningModule.log,
        LightningModule.manual_backward,
        LightningOptimizer.step,
        SlowCSVLogger.log_metrics,
        sections.is_listening(),
        signal.getsignal(signal.SIGURG),
        sys.getrecursionlimit(),
    ]


def outcome(run: TinyRun) -> tuple[str, list[list[float]]]:
    """How a run ended, and the weights it left."""
    weights = [parameter.detach().flatten().tolist() for parameter in run.module.parameters()]
    return repr(run.ended_by), weights


def alone(
    folder: Path, action: Any = None, module: LightningModule | None = None, **arguments: Any
) -> TinyRun:
    """Run the same without the two callbacks."""
    seed_everything(7)
    module = TinyModule() if module is None else module
    trainer = tiny_trainer(folder, **arguments)
    run = TinyRun(trainer, module, None, None, tiny.Stopwatch(), folder)  # type: ignore[arg-type]  # nothing is measured
    try:
        (action or tiny.fit)(trainer, module)
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are cases
        run.ended_by = error
    return run


ENDINGS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "nothing": ("finished", dict),
    "in training_step": (
        "failed",
        lambda: {"module": RaisesInStep("training_step", BoomError("x"))},
    ),
    "in validation_step": (
        "failed",
        lambda: {"module": RaisesInStep("validation_step", BoomError("x"))},
    ),
    "in configure_optimizers": (
        "failed",
        lambda: {"module": RaisesInStep("configure_optimizers", BoomError("x"))},
    ),
    "Ctrl-C in training_step": (
        "interrupted",
        lambda: {"module": RaisesInStep("training_step", KeyboardInterrupt())},
    ),
    "Ctrl-C in validation_step": (
        "interrupted",
        lambda: {"module": RaisesInStep("validation_step", KeyboardInterrupt())},
    ),
    "sys.exit(3) in training_step": (
        "failed",
        lambda: {"module": RaisesInStep("training_step", SystemExit(3))},
    ),
    "sys.exit() in training_step": (
        "interrupted",
        lambda: {"module": RaisesInStep("training_step", SystemExit())},
    ),
    "in the loader": (
        "failed",
        lambda: {"action": lambda t, m: t.fit(m, DataLoader(BrokenItems(), batch_size=2))},
    ),
    **{
        f"in a callback's {hook}": (
            "failed",
            lambda hook=hook, at_call=at_call: {  # type: ignore[misc]  # mypy infers no default in a lambda
                "callbacks": [Raises(hook, BoomError("x"), at_call)]
            },
        )
        for hook, at_call in {
            "on_fit_start": 1,
            "on_sanity_check_start": 1,
            "on_train_start": 1,
            "on_train_epoch_start": 1,
            "on_train_batch_start": 2,
            "on_before_backward": 2,
            "on_after_backward": 2,
            "on_before_optimizer_step": 2,
            "on_before_zero_grad": 2,
            "on_train_batch_end": 2,
            "on_validation_start": 1,
            "on_validation_epoch_start": 1,
            "on_validation_batch_start": 2,
            "on_validation_batch_end": 2,
            "on_validation_epoch_end": 1,
            "on_validation_end": 1,
            "on_train_epoch_end": 1,
            "on_train_end": 1,
        }.items()
    },
}


@pytest.mark.parametrize("case", ENDINGS)
def test_a_run_ends_as_it_would_alone_with_its_true_status_and_no_trace(
    case: str, tmp_path: Path
) -> None:
    status, arguments = ENDINGS[case]
    before = traces()
    seed_everything(7)
    given = {"module": TinyModule(), "action": None, "num_sanity_val_steps": 1, **arguments()}
    without = {**given, **arguments()}
    seed_everything(7)
    without["module"] = copy.deepcopy(given["module"])

    timed = vars(given["module"].metric)["update"]

    run = tiny_run(tmp_path / "with", **given)
    bare = alone(tmp_path / "without", **without)

    assert outcome(run) == outcome(bare)
    assert run.baseline.run.status == status
    assert traces() == before
    assert isinstance(run.trainer.profiler, PassThroughProfiler)  # type: ignore[attr-defined]  # declared nowhere
    assert vars(run.module.metric)["update"] is timed
    if "module" in arguments() or "callbacks" in arguments():
        ended_by = run.baseline.run.ended_by
        assert ended_by is not None
        assert ended_by.partition(":")[0] in {
            "BoomError",
            "KeyboardInterrupt",
            "SystemExit",
        }


@pytest.mark.parametrize("case", ["in training_step", "in validation_step"])
def test_what_ran_before_an_exception_is_accounted_to_the_nanosecond(
    case: str, tmp_path: Path
) -> None:
    _, arguments = ENDINGS[case]
    before_ns = tiny.CLOCK()

    run = tiny_run(tmp_path, **arguments())

    assert run.ended_by is not None
    run.check_totals()
    total_s = sum(phase.total_s or 0.0 for phase in run.baseline.phases)
    assert total_s == pytest.approx((tiny.CLOCK() - before_ns) * 1e-9, rel=1e-6)


def test_the_report_before_the_profiler_in_the_list_of_callbacks_says_the_same(
    tmp_path: Path,
) -> None:
    phases = []
    for order in ("profiler first", "report first"):
        profiler = PerformanceProfilerCallback(profile_memory=False)
        callbacks: list[Callback] = [profiler, BaselineReportCallback()]
        folder = tmp_path / order
        trainer = tiny_trainer(
            folder, callbacks=callbacks if order == "profiler first" else callbacks[::-1]
        )
        with pytest.raises(BoomError):
            trainer.fit(RaisesInStep("validation_step", BoomError("x")), loader(), loader(6))
        run = TinyRun(
            trainer, TinyModule(), profiler, BaselineReportCallback(), tiny.Stopwatch(), folder
        )
        phases.append([(p.name, p.batches, p.total_s) for p in run.baseline.phases])
        assert run.baseline.run.status == "failed"

    assert phases[0] == phases[1]


def test_a_run_after_one_that_ended_without_a_word_to_the_callback_is_whole(
    tmp_path: Path,
) -> None:
    before = traces()
    broken: list[Callback] = [Raises("on_exception", BoomError("y"), 1)]
    first = tiny_run(
        tmp_path, module=RaisesInStep("training_step", BoomError("x")), callbacks=broken
    )
    assert "y" in repr(first.ended_by)

    run = tiny_run(tmp_path, profiling=first.profiler)

    assert run.ended_by is None
    assert run.baseline.run.status == "finished"
    assert run.lines_ms("train")["logging"] == (4 + 2) * tiny.LOG_MS
    assert traces() == before


def test_a_callback_that_fails_as_it_is_told_of_an_exception_leaves_nothing_of_ours_behind(
    tmp_path: Path,
) -> None:
    before = traces()
    broken: list[Callback] = [Raises("on_exception", BoomError("y"), 1)]

    run = tiny_run(tmp_path, module=RaisesInStep("training_step", BoomError("x")), callbacks=broken)

    assert "y" in repr(run.ended_by)
    assert traces() == before
    assert "ocr-baseline-heartbeat" not in {thread.name for thread in threading.enumerate()}
    assert (run.baseline.run.status, run.phase("train").batches) == ("failed", 2)


def test_two_trainers_in_one_folder_add_up_with_the_same_callbacks(tmp_path: Path) -> None:
    first = tiny_run(tmp_path)
    second = tiny_run(tmp_path, profiling=first.profiler, report=first.report)

    assert second.phase("train").batches == 8
    assert second.phase("train").total_s == pytest.approx(
        (first.stopwatch.train_ns + second.stopwatch.train_ns) * 1e-9
    )


def test_a_trainer_in_another_folder_begins_anew_with_the_same_callbacks(tmp_path: Path) -> None:
    first = tiny_run(tmp_path / "first")
    second = tiny_run(tmp_path / "second", profiling=first.profiler, report=first.report)

    assert first.phase("train").batches == 4
    assert second.phase("train").batches == 4
    second.check_totals()


def test_new_callbacks_in_the_same_folder_begin_anew(tmp_path: Path) -> None:
    tiny_run(tmp_path, max_epochs=2)
    run = tiny_run(tmp_path)

    assert run.phase("train").batches == 4
    run.check_totals()


def test_a_stage_of_a_trainer_whose_records_another_ended_run_replaced_is_a_run_of_its_own(
    tmp_path: Path,
) -> None:
    first = tiny_run(tmp_path)
    second = tiny_run(tmp_path, max_epochs=3)
    report = tmp_path / "baseline" / "baseline.json"
    of_second = report.read_bytes()

    with tiny.log_messages() as messages:
        first.trainer.test(TinyModule(), loader(4), verbose=False)

    assert first.phase_names == ["test"]
    assert first.phase("test").batches == 2
    kept = list((tmp_path / "baseline" / "earlier").iterdir())
    documents = [(folder / "baseline.json").read_bytes() for folder in kept]
    assert len(kept) == 2
    assert of_second in documents
    place = kept[documents.index(of_second)]
    assert (place / "batches.csv").is_file()
    assert [stage.stage.value for stage in reader.load(place).stages] == ["train", "validation"]
    assert not [text for text in messages if "another run" in text.lower()]
    assert second.ended_by is None


def test_a_run_without_a_batch_that_finishes_leaves_report_and_records_alone(
    tmp_path: Path,
) -> None:
    tiny_run(tmp_path)
    folder = tmp_path / "baseline"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    tiny_run(tmp_path, limit_train_batches=0)

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_run_that_can_not_be_measured_leaves_the_report_of_another_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_run(tmp_path, logger=False)
    folder = tmp_path / "baseline"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def refuse(*args: object, **arguments: object) -> None:
        raise OSError("no")

    monkeypatch.setattr("ocr_baseline.lightning.run.run_records.Recording", refuse)
    with tiny.log_messages() as messages:
        tiny_run(tmp_path, logger=False)

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [text for text in messages if "Nothing of this run was measured" in text]


def test_a_run_killed_after_an_earlier_one_finished_is_not_called_finished(
    tmp_path: Path,
) -> None:
    first = tiny_run(tmp_path)
    seen: list[str] = []

    class Looks(Callback):
        def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            folder = first.profiler.records_folder
            assert folder is not None
            seen.append(reader.load(folder).info.status)

    tiny_run(tmp_path, profiling=first.profiler, callbacks=[Looks()])

    assert seen == ["unknown"]


def test_the_users_own_profiler_sees_the_same_actions_and_writes_its_output(
    tmp_path: Path,
) -> None:
    counted = []
    for folder in ("with", "without"):
        profiler = SimpleProfiler(dirpath=tmp_path / folder, filename="simple")
        if folder == "with":
            run = tiny_run(tmp_path / folder, profiler=profiler)
            assert run.trainer.profiler is profiler  # type: ignore[attr-defined]  # declared nowhere
            run.check_totals()
        else:
            alone(tmp_path / folder, profiler=profiler)
        assert "run_training_epoch" in (tmp_path / folder / "fit-simple.txt").read_text()
        counted.append(
            {
                action: len(durations)
                for action, durations in profiler.recorded_durations.items()
                if "PerformanceProfiler" not in action and "BaselineReport" not in action
            }
        )

    assert counted[0] == counted[1]


def test_the_users_own_profiler_is_back_after_an_exception(tmp_path: Path) -> None:
    profiler = SimpleProfiler()

    run = tiny_run(
        tmp_path, module=RaisesInStep("training_step", BoomError("x")), profiler=profiler
    )

    assert run.trainer.profiler is profiler  # type: ignore[attr-defined]  # declared nowhere


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])  # noqa: S301 - our own object
@pytest.mark.parametrize("when", ["before a run", "after a run", "after a test"])
def test_the_callbacks_can_be_copied_and_run_again(
    copied: Callable[[Any], Any], when: str, tmp_path: Path
) -> None:
    profiling, report = PerformanceProfilerCallback(profile_memory=False), BaselineReportCallback()
    if when != "before a run":
        first = tiny_run(tmp_path / "first", profiling=profiling, report=report)
        if when == "after a test":
            first.trainer.test(first.module, loader(), verbose=False)

    run = tiny_run(tmp_path / "second", profiling=copied(profiling), report=copied(report))

    assert run.ended_by is None
    run.check_totals()


def test_the_callbacks_can_be_copied_during_a_run(tmp_path: Path) -> None:
    copies: list[Any] = []

    class Copies(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            copies.append(copy.deepcopy(trainer.callbacks))  # type: ignore[attr-defined]  # declared nowhere

    run = tiny_run(tmp_path, callbacks=[Copies()])

    assert run.ended_by is None
    assert len(copies) == 4
    run.check_totals()


def test_averaging_weights_copies_the_module_and_changes_nothing(tmp_path: Path) -> None:
    def averaging() -> StochasticWeightAveraging:
        return StochasticWeightAveraging(swa_lrs=0.01, swa_epoch_start=1)

    run = tiny_run(tmp_path / "with", callbacks=[averaging()], max_epochs=3)
    bare = alone(tmp_path / "without", callbacks=[averaging()], max_epochs=3)

    assert run.ended_by is None
    assert outcome(run) == outcome(bare)
    run.check_totals()


def test_a_compiled_module_is_accounted(tmp_path: Path) -> None:
    module = TinyModule()
    module.layer = torch.compile(module.layer, backend="eager")  # type: ignore[assignment]  # a compiled layer is a layer

    run = tiny_run(tmp_path, module=module)

    assert run.ended_by is None
    run.check_totals()


def test_a_folder_that_can_not_be_written_is_one_warning_and_no_harm(tmp_path: Path) -> None:
    blocked = tmp_path / "baseline"
    blocked.write_text("a file where the folder should be")

    with tiny.log_messages() as messages:
        run = tiny_run(tmp_path)
    bare = alone(tmp_path / "without")

    assert outcome(run) == outcome(bare)
    assert len(messages) == 2, messages
    assert all(str(blocked) in message for message in messages)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_no_harm(tmp_path: Path) -> None:
    (tmp_path / "baseline").mkdir(mode=0o500)

    run = tiny_run(tmp_path)

    assert run.ended_by is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_disk_that_is_full_is_no_harm(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = tmp_path / "baseline" / "records"

    records.mkdir(parents=True)
    for name in ("rank_0", "rank_0_worker_train_0", "rank_0_worker_validation_0"):
        (records / f"{name}.jsonl").symlink_to("/dev/full")
    monkeypatch.setattr(recording, "set_aside", lambda *earlier: None)

    def action(trainer: Trainer, module: LightningModule) -> None:
        trainer.fit(module, loader(num_workers=workers), loader(6, num_workers=workers))

    run = tiny_run(tmp_path, action)
    bare = alone(tmp_path / "without", action)

    assert outcome(run) == outcome(bare)


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Make every folder one in which nobody can make a file: the attempt waits for ever."""
    answers = threading.Event()

    def begin() -> None:
        monkeypatch.setattr(folder_answer, "try_to_write", lambda folder: answers.wait())

    yield begin
    answers.set()


@pytest.mark.parametrize("moment", ["setup", "on_train_batch_end", "on_train_end"])
def test_a_file_system_that_does_not_answer_holds_a_training_up_for_a_while_only(
    moment: str, tmp_path: Path, hang: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_answer, "PATIENCE_S", 0.1)
    hanging = Callback()
    calls: list[str] = []

    def hang_once(*args: Any, **kwargs: Any) -> None:
        if not calls:
            hang()
        calls.append(moment)

    monkeypatch.setattr(hanging, moment, hang_once)
    with tiny.log_messages() as messages:
        run = tiny_run(tmp_path, callbacks=[hanging])

    assert calls
    assert outcome(run) == outcome(alone(tmp_path / "without"))
    assert sum("has not answered for" in message for message in messages) == 1, "waited for once"
    assert len(messages) <= 2, messages


def test_a_logger_that_raises_never_ends_the_training(tmp_path: Path) -> None:
    class BrokenLogger(SlowCSVLogger):
        def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
            if any(key.startswith("performance/") for key in metrics):
                raise BoomError("no space left on the server")
            super().log_metrics(metrics, step)

    with tiny.log_messages() as messages:
        run = tiny_run(tmp_path, logger=BrokenLogger(str(tmp_path)), max_epochs=3)

    assert run.ended_by is None
    run.check_totals()
    assert [m for m in messages if "no space left" in m] == messages
    assert len(messages) == 1


def test_batches_that_can_not_be_looked_into_are_no_harm(tmp_path: Path) -> None:
    class Sealed(dict[str, Any]):
        def values(self) -> Any:
            raise BoomError("sealed")

    class OpensSealed(TinyModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return super().training_step(batch["x"], batch_idx)

        def transfer_batch_to_device(self, batch: Any, *args: Any) -> Any:
            return batch

    module = OpensSealed()

    run = tiny_run(
        tmp_path,
        lambda trainer, module: trainer.fit(
            module,
            DataLoader([Sealed(x=torch.ones(4))] * 4, batch_size=None),  # type: ignore[arg-type]  # a list is dataset enough
        ),
        module=module,
    )

    assert run.ended_by is None, run.ended_by
    assert (run.phase("train").batches, run.phase("train").samples) == (4, None)


def test_a_profiler_that_is_switched_off_touches_nothing(tmp_path: Path) -> None:
    before = traces()
    seen: list[object] = []

    class Looks(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            seen.append((traces() == before, type(trainer.profiler)))  # type: ignore[attr-defined]  # declared nowhere

    tiny_run(tmp_path, profiling=PerformanceProfilerCallback(enabled=False), callbacks=[Looks()])

    assert set(seen) == {(True, PassThroughProfiler)}
    assert not (tmp_path / "baseline" / "records").exists()


class _LineOfReport(logging.Handler):
    """Keeps the line that names the report, or raises at it."""

    def __init__(self, *, raises: bool) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._raises = raises

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("Performance baseline: "):
            self.lines.append(record.getMessage())
            if self._raises:
                raise BoomError("a handler of the user's")


@pytest.mark.parametrize("raises", [False, True], ids=["plain", "a handler that raises"])
def test_without_a_summary_the_fit_ends_with_one_line_of_lightnings_logger_that_names_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], raises: bool
) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    folder = tmp_path / secret
    handler = _LineOfReport(raises=raises)
    lightnings = logging.getLogger("lightning.pytorch")
    lightnings.addHandler(handler)
    level = lightnings.level
    lightnings.setLevel(logging.INFO)
    try:
        with tiny.log_messages() as warnings:
            run = tiny_run(folder, report=BaselineReportCallback(summary=False))
    finally:
        lightnings.setLevel(level)
        lightnings.removeHandler(handler)

    assert run.ended_by is None
    assert not warnings
    (line,) = handler.lines
    assert line.endswith("baseline.html")
    assert str(tmp_path) in line
    assert secret not in line
    assert "Performance baseline" not in capsys.readouterr().err


def test_the_fit_ends_with_the_answer_on_the_screen_and_a_test_after_it_adds_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3

    def fit_and_test(trainer: Trainer, module: LightningModule) -> None:
        tiny.fit(trainer, module)
        trainer.test(module, loader(4), verbose=False)

    run = tiny_run(tmp_path / secret, fit_and_test)
    shown = capsys.readouterr().err

    assert run.ended_by is None
    assert shown.count("Performance baseline of ") == 1
    assert "Report: " in shown
    assert secret not in shown


def test_a_test_without_a_fit_ends_with_the_answer_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_run(tmp_path, lambda trainer, module: trainer.test(module, loader(4), verbose=False))
    assert capsys.readouterr().err.count("Performance baseline of ") == 1


def test_a_failing_report_is_a_warning_with_its_cause_and_the_screen_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise BoomError("a bug of ours")

    monkeypatch.setattr("ocr_baseline.write.write_report", fail)

    with tiny.log_messages() as messages:
        run = tiny_run(tmp_path)

    assert run.ended_by is None
    assert len(messages) == 1
    assert "a bug of ours" in messages[0]
    assert "No report: BoomError: a bug of ours" in capsys.readouterr().err
    assert logging.getLogger("ocr_baseline").level == logging.NOTSET
