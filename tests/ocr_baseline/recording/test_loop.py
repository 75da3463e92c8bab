"""Loops without a Trainer on a simulated clock: exact times, exact counts."""

from __future__ import annotations

import copy
import gc
import itertools
import logging
import pickle
import resource
import signal
import sys
import textwrap
import threading
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader, Sampler

import ocr_baseline as ob
from ocr_baseline.lightning.profiler import PerformanceProfilerCallback
from ocr_baseline.lightning.report import BaselineReportCallback
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.model.document import Baseline
from ocr_baseline.recording.loop_stages import StageName
from ocr_baseline.records import reader
from tests.ocr_baseline.lightning import tiny_runs as tiny
from tests.ocr_baseline.lightning.tiny_runs import CLOCK, Items, TinyModule, loader, work

pytestmark = pytest.mark.usefixtures("simulated_clock")

FORWARD_MS, BACKWARD_MS, OPTIMIZER_MS, VALIDATION_MS = 10.0, 4.0, 2.0, 12.0


def report_in(folder: Path) -> Baseline:
    return Baseline.model_validate_json((folder / "baseline.json").read_text())


def lines_ms(folder: Path, name: str) -> dict[str, float]:
    """Return what the records hold of each line, before our own cost is taken out of any."""
    (stage,) = [stage for stage in reader.load(folder).stages if stage.stage.value == name]
    lines_s: dict[str, float] = defaultdict(float)
    for epoch in stage.epochs:
        for line, tail_s in epoch.tail_s.items():
            lines_s[line] += tail_s
    if stage.batches is not None:
        for line, column in stage.batches.lines_s.items():
            lines_s[line] += float(column.sum())
    return {line: round(total_s * 1e3, 3) for line, total_s in lines_s.items() if total_s}


def counted(baseline: Baseline, name: str) -> tuple[int | None, int | None, int | None]:
    phase = baseline.phase(name)
    assert phase is not None
    return phase.epochs, phase.batches, phase.samples


def step(record: ob.record) -> None:
    with record.line("forward"):
        work(FORWARD_MS)
    with record.line("backward"):
        work(BACKWARD_MS)
    with record.line("optimizer"):
        work(OPTIMIZER_MS)


def validate(record: ob.record, batches: Any) -> None:
    with record.stage("validation"):
        for _ in record.batches(batches):
            work(VALIDATION_MS)


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.message for entry in caplog.records if entry.levelno >= logging.WARNING]


def test_every_named_line_is_charged_to_the_nanosecond_and_the_rest_is_other(
    tmp_path: Path,
) -> None:
    batches = loader()
    began_ns = CLOCK()
    validation_ns = 0
    with ob.record(tmp_path) as record:
        for epoch in range(2):
            with record.stage("train", epoch=epoch):
                for _ in record.batches(batches):
                    step(record)
                    work(1.0)
                work(5.0)
            validation_began_ns = CLOCK()
            validate(record, batches)
            validation_ns += CLOCK() - validation_began_ns
    took_s = (CLOCK() - began_ns - validation_ns) * 1e-9

    baseline = report_in(tmp_path)
    train = baseline.phase("train")
    assert train is not None
    assert train.total_s == pytest.approx(took_s, rel=1e-9)
    assert sum(line.total_s for line in train.breakdown) == pytest.approx(took_s, rel=1e-5)
    assert lines_ms(tmp_path, "train") == {
        "data_wait": 2 * 3 * 2 * tiny.ITEM_MS,
        "loader_startup": 2 * (tiny.SAMPLER_MS + 2 * tiny.ITEM_MS),
        "forward": 8 * FORWARD_MS,
        "backward": 8 * BACKWARD_MS,
        "optimizer": 8 * OPTIMIZER_MS,
        "other": 8 * 1.0 + 2 * 5.0,
    }
    assert counted(baseline, "train") == (2, 8, 16)
    assert counted(baseline, "validation") == (2, 8, 16)
    assert baseline.run.status == "finished"


def test_what_reading_a_batch_takes_us_is_our_own_cost(tmp_path: Path) -> None:
    class SlowToCount(Sampler[int]):
        def __iter__(self) -> Iterator[int]:
            return iter(range(8))

        def __len__(self) -> int:
            work(3.0)
            return 8

    batches = DataLoader(Items(8), batch_size=2, sampler=SlowToCount())
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches(batches):
            work(FORWARD_MS)

    lines = lines_ms(tmp_path, "train")
    assert lines["other"] == 4 * FORWARD_MS
    assert lines["profiler"] == 3.0
    assert report_in(tmp_path).measurement.overhead_s == pytest.approx(3e-3, rel=0.1)


def test_a_loop_that_names_stages_and_batches_alone_says_what_it_did_not_measure(
    tmp_path: Path,
) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches(loader()):
            work(FORWARD_MS)

    baseline = report_in(tmp_path)
    assert lines_ms(tmp_path, "train")["other"] == 4 * FORWARD_MS
    missing = {entry.metric: entry.reason for entry in baseline.missing}
    for line in ("forward", "backward", "optimizer"):
        assert missing[f"phases.train.breakdown.{line}"] == "not_collected"
        assert line not in lines_ms(tmp_path, "train")
    assert "phases.train.breakdown.backward" in (tmp_path / "baseline.md").read_text()


def test_validation_inside_a_training_batch_is_never_training(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        for index, _ in enumerate(record.batches(loader())):
            step(record)
            if index == 1:
                validate(record, loader())

    baseline = report_in(tmp_path)
    assert counted(baseline, "train") == (1, 4, 8)
    assert lines_ms(tmp_path, "validation")["other"] == 4 * VALIDATION_MS
    assert lines_ms(tmp_path, "train")["forward"] == 4 * FORWARD_MS
    assert "other" not in lines_ms(tmp_path, "train")


def test_validation_inside_a_line_is_charged_to_its_own_lines(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches(loader()):
            with record.line("callbacks"):
                work(1.0)
                validate(record, [1])

    assert lines_ms(tmp_path, "train")["callbacks"] == 4 * 1.0
    assert lines_ms(tmp_path, "validation") == {"other": 4 * VALIDATION_MS}


def test_what_follows_a_break_is_no_batchs_time(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches(loader()):
            step(record)
            break
        work(50.0)

    run = reader.load(tmp_path)
    assert run.stages[0].batches is not None
    assert float(run.stages[0].batches.duration_s.max()) * 1e3 == pytest.approx(
        tiny.SAMPLER_MS + 2 * tiny.ITEM_MS + FORWARD_MS + BACKWARD_MS + OPTIMIZER_MS
    )
    assert lines_ms(tmp_path, "train")["other"] == 50.0


def test_a_pass_that_goes_on_over_several_stages_gives_each_its_batches(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record:
        batches = iter(record.batches(loader()))
        for _ in range(2):
            with record.stage("train"):
                for _ in range(2):
                    next(batches)
                    step(record)

    assert counted(report_in(tmp_path), "train") == (2, 4, 8)


def test_a_loader_starts_when_its_iterator_is_made_as_without_the_record(tmp_path: Path) -> None:
    drawn = []
    for enabled in (False, True):
        torch.manual_seed(1)
        with ob.record(tmp_path, enabled=enabled) as record, record.stage("train"):
            left_alone = iter(record.batches(loader()))
            shuffled = DataLoader(Items(8), batch_size=2, shuffle=True)
            batches = iter(record.batches(shuffled))
            noise = torch.rand(1)
            order = [batch.tolist() for batch in batches]
            del left_alone
        drawn.append((noise.item(), order))

    assert drawn[0] == drawn[1]
    assert counted(report_in(tmp_path), "train") == (1, 4, 8)


def test_a_second_loader_that_is_read_meanwhile_adds_no_batches(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        pairs = zip(record.batches(loader()), record.batches(loader()), strict=True)
        for _ in pairs:
            step(record)

    baseline = report_in(tmp_path)
    assert counted(baseline, "train") == (1, 4, 8)
    assert lines_ms(tmp_path, "train")["op:record.batches (second loader)"] > 0
    assert any("Two loaders" in warning for warning in baseline.measurement.warnings)


def test_several_loaders_of_a_stage_have_a_phase_each(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("test"):
        for index, batches in enumerate([loader(), loader(4)]):
            for _ in record.batches(batches, dataloader_idx=index):
                work(1.0)

    phases = [(phase.dataloader, phase.batches) for phase in report_in(tmp_path).phases]
    assert phases == [(None, 6), (0, 4), (1, 2)]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("out of luck"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit(3), "failed"),
        (SystemExit(0), "interrupted"),
    ],
    ids=["exception", "Ctrl-C", "exit status", "exit"],
)
def test_what_ends_the_loop_passes_through_and_is_in_the_report(
    tmp_path: Path, error: BaseException, status: str
) -> None:
    def run() -> None:
        with ob.record(tmp_path) as record, record.stage("train"):
            for index, _ in enumerate(record.batches(loader())):
                step(record)
                if index == 2:
                    raise error

    with pytest.raises(type(error)) as raised:
        run()

    assert raised.value is error
    baseline = report_in(tmp_path)
    assert baseline.run.status == status
    assert counted(baseline, "train") == (1, 2, 4), "the third was never done"
    assert lines_ms(tmp_path, "train")["forward"] == 3 * FORWARD_MS


class SaysNothing(Exception):
    def __str__(self) -> str:
        raise GeneratorExit


class HasNoClass(Exception):
    @property  # type: ignore[misc]  # what is tried
    def __class__(self) -> Any:
        raise ValueError


@pytest.mark.parametrize("kind", [SaysNothing, HasNoClass])
def test_an_exception_that_fails_to_say_what_it_is_passes_through(
    tmp_path: Path, kind: type[Exception]
) -> None:
    error: BaseException | None = None
    try:
        with ob.record(tmp_path) as record, record.stage("train"):
            for index, _ in enumerate(record.batches(loader())):
                if index:
                    raise kind
    except BaseException as raised:  # noqa: BLE001 - any other than the loop's own is the failure
        error = raised

    assert type(error) is kind
    assert report_in(tmp_path).run.status == "failed"


def test_a_batch_that_the_loop_breaks_off_at_its_end_is_done(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record:
        for epoch in range(2):
            with record.stage("train", epoch=epoch):
                for index, _ in enumerate(record.batches(loader())):
                    step(record)
                    if index == 2:
                        break

    assert counted(report_in(tmp_path), "train") == (2, 6, 12)


def test_a_second_record_in_the_same_folder_replaces_the_first(tmp_path: Path) -> None:
    for count in (8, 4):
        with ob.record(tmp_path) as record, record.stage("train"):
            for _ in record.batches(loader(count)):
                step(record)

    assert counted(report_in(tmp_path), "train") == (1, 2, 4)


def test_a_run_that_fails_at_its_start_keeps_the_earlier_report(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches(loader()):
            step(record)
    before = (tmp_path / "baseline.json").read_bytes()

    with pytest.raises(RuntimeError), ob.record(tmp_path) as record:
        raise RuntimeError("no data")

    assert record.files is None
    assert (tmp_path / "baseline.json").read_bytes() == before
    assert warned(caplog) == []


def test_sections_and_operations_count_inside_the_block_alone(tmp_path: Path) -> None:
    operations = ["textwrap.dedent", "textwrap.indent"]
    with ob.record(tmp_path, operations=operations) as record, record.stage("train"):
        for _ in record.batches([1, 2]):
            textwrap.dedent("")
            with ob.section("features"):
                work(3.0)
    textwrap.dedent("")

    baseline = report_in(tmp_path)
    calls = {operation.name: operation.calls for operation in baseline.operations}
    assert calls == {"features": 2, "textwrap.dedent": 2}
    assert any("textwrap.indent was named" in text for text in baseline.measurement.warnings)


def test_a_wrong_operation_is_refused_before_the_loop(tmp_path: Path) -> None:
    with pytest.raises(ob.BaselineError, match="no module"), ob.record(tmp_path, operations="no.x"):
        pytest.fail("the loop began")


def test_samples_are_what_the_loop_tells_where_no_loader_knows(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        for batch in record.batches([[1, 2, 3], [4]]):
            record.samples(len(batch))
    assert counted(report_in(tmp_path), "train") == (1, 2, 4)

    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches([[1, 2, 3], [4]]):
            pass
    assert counted(report_in(tmp_path), "train") == (1, 2, None)


def test_names_that_mean_nothing_are_told_and_end_no_loop(tmp_path: Path) -> None:
    wrong: Any = "evaluation"
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches(loader()):
            step(record)
            with record.line(wrong):
                work(2.0)
        with record.stage(wrong):
            for _ in record.batches(loader()):
                work(100.0)

    baseline = report_in(tmp_path)
    assert counted(baseline, "train") == (1, 4, 8)
    assert "other" not in lines_ms(tmp_path, "train")
    assert lines_ms(tmp_path, "train")["op:evaluation"] == 4 * 2.0
    said = " ".join(baseline.measurement.warnings)
    assert "record.stage('evaluation')" in said
    assert "record.line('evaluation')" in said


def test_a_failure_of_ours_is_one_warning_and_the_loop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fetches = []

    def begin_fetch(recorder: Recorder) -> None:
        fetches.append(1)
        if len(fetches) == 4:
            raise ZeroDivisionError("ours")
        original(recorder)

    original = Recorder.begin_fetch
    monkeypatch.setattr(Recorder, "begin_fetch", begin_fetch)
    seen = 0
    with ob.record(tmp_path) as record:
        for _ in range(2):
            with record.stage("train"):
                for _ in record.batches(loader()):
                    step(record)
                    seen += 1

    assert seen == 8
    assert len(warned(caplog)) == 1
    assert "ours" in warned(caplog)[0]
    baseline = report_in(tmp_path)
    assert counted(baseline, "train")[1] == 3
    assert any("measuring stopped" in text for text in baseline.measurement.warnings)


def test_a_folder_that_cannot_be_made_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    seen = 0
    with ob.record(tmp_path / "file" / "run") as record, record.stage("train"):
        for _ in record.batches(loader()):
            step(record)
            seen += 1

    assert (seen, record.files, len(warned(caplog))) == (4, None, 1)


def test_records_that_cannot_be_written_leave_nothing_running(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listeners = list(gc.callbacks)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    record = ob.record(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        record.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    left = (signal.getsignal(signal.SIGURG), list(gc.callbacks))
    record.__exit__(None, None, None)

    assert left == (signal.SIG_DFL, listeners)
    assert (record.files, len(warned(caplog))) == (None, 1)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("can't start new thread"), MemoryError(), AssertionError("no threads in tests")],
)
def test_a_loop_ends_with_a_report_where_no_thread_can_be_started_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def start(thread: threading.Thread) -> None:
        raise error

    with ob.record(tmp_path) as record:
        with record.stage("train"):
            for _ in record.batches(loader()):
                step(record)
        monkeypatch.setattr(threading.Thread, "start", start)

    assert counted(report_in(tmp_path), "train")[1] == 4


def test_a_record_that_is_off_writes_nothing(tmp_path: Path) -> None:
    with ob.record(tmp_path, enabled=False, operations="no.x") as record, record.stage("train"):
        batches = record.batches([1, 2])
        assert (len(batches), list(batches)) == (2, [1, 2])

    assert list(tmp_path.iterdir()) == []


def test_a_record_inside_another_measures_nothing_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ob.record(tmp_path / "outer") as outer, outer.stage("train"):
        for _ in outer.batches(loader()):
            with ob.record(tmp_path / "inner") as inner:
                validate(inner, [1])

    assert not (tmp_path / "inner").exists()
    assert len(warned(caplog)) == 4
    assert lines_ms(tmp_path / "outer", "train")["other"] == 4 * VALIDATION_MS


def test_a_record_inside_a_recorded_trainer_leaves_its_run_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Recorded(TinyModule):
        def on_train_epoch_end(self) -> None:
            with ob.record(tmp_path / "inner") as record:
                validate(record, loader())

    def fit(module: LightningModule, folder: Path) -> None:
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[
                PerformanceProfilerCallback(output_dir=folder),
                BaselineReportCallback(output_dir=folder),
            ],
        )
        trainer.fit(module, loader())

    fit(Recorded(), tmp_path / "outer")

    assert not (tmp_path / "inner").exists()
    assert any("record() measures nothing" in text for text in warned(caplog))
    assert [phase.name for phase in report_in(tmp_path / "outer").phases] == ["train"]


def test_other_threads_and_leftover_contexts_leave_the_accounts_alone(tmp_path: Path) -> None:
    seen: list[Any] = []
    with ob.record(tmp_path) as record, record.stage("train"):
        line, stage, batches = record.line("forward"), record.stage("test"), record.batches([1])

        def elsewhere() -> None:
            with line, stage:
                seen.extend(batches)

        for _ in record.batches(loader()):
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
    with line, stage:
        seen.extend(batches)

    assert seen == [1] * 5
    baseline = report_in(tmp_path)
    assert [phase.name for phase in baseline.phases] == ["train"]
    assert "forward" not in lines_ms(tmp_path, "train")
    assert "another thread than record()'s" in (tmp_path / "baseline.md").read_text()


def test_what_a_loader_raises_is_the_loops_own(tmp_path: Path) -> None:
    class Broken(Items):
        def __getitem__(self, index: int) -> torch.Tensor:
            if index == 4:
                raise OSError("unreadable")
            return super().__getitem__(index)

    def run() -> None:
        with ob.record(tmp_path) as record, record.stage("train"):
            for _ in record.batches(DataLoader(Broken(), batch_size=2)):
                step(record)

    with pytest.raises(OSError, match="unreadable"):
        run()

    assert counted(report_in(tmp_path), "train") == (1, 2, 4)


def test_a_batch_lives_no_longer_than_without_the_record(tmp_path: Path) -> None:
    batches: list[list[int]] = [[1], [2]]
    alone, recorded = [], []
    for batch in batches:
        alone.append(sys.getrefcount(batch))
    with ob.record(tmp_path) as record, record.stage("train"):
        for batch in record.batches(batches):
            recorded.append(sys.getrefcount(batch))

    assert recorded == alone


def test_the_configuration_is_redacted_and_the_run_named(tmp_path: Path) -> None:
    config = {"lr": 0.1, "api_key": "sk-live-0123456789abcdefghij"}
    with ob.record(tmp_path, name="night run", config=config) as record, record.stage("train"):
        list(record.batches(loader()))

    baseline = report_in(tmp_path)
    assert baseline.run.name == "night run"
    assert baseline.workload.config is not None
    assert baseline.workload.config["lr"] == 0.1
    assert "0123456789" not in (tmp_path / "baseline.json").read_text()
    assert baseline.environment.identity["batch_size"] == 2
    assert "lightning" not in baseline.environment.identity or "lightning.fabric" in sys.modules


class Stumbles:
    """Gives numbers, but for one that fails and one before which it says that it is at its end."""

    def __init__(self) -> None:
        self.asked = 0

    def __iter__(self) -> Stumbles:
        return self

    def __next__(self) -> int:
        self.asked += 1
        if self.asked == 2:
            raise OSError("one damaged file")
        if self.asked in {4, 6}:
            raise StopIteration("more to come")
        return self.asked


def test_an_iterator_goes_on_after_it_has_raised_as_without_the_record(tmp_path: Path) -> None:
    taken: list[object] = []
    with ob.record(tmp_path) as record, record.stage("train"):
        iterator = iter(record.batches(Stumbles()))
        for _ in range(6):
            try:
                taken.append(next(iterator))
            except (OSError, StopIteration) as error:
                taken.append(str(error))

    assert taken == [1, "one damaged file", 3, "more to come", 5, "more to come"]
    assert counted(report_in(tmp_path), "train")[:2] == (1, 3)


def test_several_threads_may_read_one_iterator(tmp_path: Path) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()
    taken: list[int] = []

    class Waits:
        def __iter__(self) -> Waits:
            return self

        def __next__(self) -> int:
            if threading.current_thread() is not threading.main_thread():
                is_asked.set()
                may_answer.wait(10)
                return 1
            return 2

    with ob.record(tmp_path) as record, record.stage("train"):
        iterator = iter(record.batches(Waits()))
        other = threading.Thread(target=lambda: taken.append(next(iterator)))
        other.start()
        is_asked.wait(10)
        taken.append(next(iterator))
        may_answer.set()
        other.join()

    assert taken == [2, 1]


def test_batches_and_their_iterator_behave_as_the_loader_and_its_own(tmp_path: Path) -> None:
    def numbers() -> Generator[int, object, str]:
        sent = yield 1
        assert sent == "sent"
        yield 2
        return "returned"

    batches = loader()
    with ob.record(tmp_path) as record, record.stage("train"):
        measured: Any = record.batches(batches)
        assert measured.dataset is batches.dataset
        assert not hasattr(measured, "no_such_name")
        assert len(measured) == len(measured.__iter__()) == len(batches)
        assert bool(record.batches([])) is False

        generator: Any = iter(record.batches(numbers()))
        assert not hasattr(generator, "__len__")
        assert next(generator) == 1
        assert generator.send("sent") == 2
        with pytest.raises(StopIteration) as end:
            next(generator)
        assert end.value.value == "returned"
        assert list(copy.copy(iter(record.batches([1, 2])))) == [1, 2]


def test_a_loader_is_not_asked_what_it_is(tmp_path: Path) -> None:
    class Mute:
        def __iter__(self) -> Iterator[int]:
            return iter([1, 2])

        @property  # type: ignore[misc]  # as of a stand-in of the user's
        def __class__(self) -> Any:
            raise SystemExit("asked for the class")

        def __getattr__(self, name: str) -> Any:
            raise SystemExit(f"asked for {name}")

    with ob.record(tmp_path) as record, record.stage("train"):
        assert list(record.batches(Mute())) == [1, 2]


def test_a_record_is_copied_and_pickled_while_it_records(tmp_path: Path) -> None:
    with ob.record(tmp_path, name="a run") as record:
        block = record.stage("train")
        line = record.line("forward")
        with block:
            for _ in record.batches([1, 2]):
                held: dict[str, Any] = {"record": record, "block": block, "line": line}
                held["batches"] = record.batches([1])
                for copied in (copy.deepcopy(held), pickle.loads(pickle.dumps(held))):  # noqa: S301 - our own
                    with copied["block"], copied["line"]:
                        assert list(copied["batches"]) == [1]
                        assert list(copied["record"].batches([3])) == [3]

    assert counted(report_in(tmp_path), "train")[:2] == (1, 2)


def test_stages_that_take_turns_are_told_of(tmp_path: Path) -> None:
    def stage(name: StageName) -> Iterator[None]:
        with record.stage(name):
            for _ in record.batches([1, 2, 3]):
                yield

    with ob.record(tmp_path) as record:
        for _ in zip(stage("train"), stage("validation"), strict=True):
            work(1.0)

    assert "Two stages were open at once" in (tmp_path / "baseline.md").read_text()


@pytest.mark.parametrize("names_lines", [True, False])
def test_batches_that_are_repeated_from_memory_are_told_of(
    tmp_path: Path, names_lines: bool
) -> None:
    """`itertools.cycle` asks a loader once, and gives what it kept from then on."""
    with ob.record(tmp_path) as record:
        batches = itertools.cycle(record.batches(loader()))
        for _ in range(3):
            with record.stage("train"):
                for _ in itertools.islice(batches, 4):
                    if names_lines:
                        step(record)
                    else:
                        work(FORWARD_MS)

    baseline = report_in(tmp_path)
    assert counted(baseline, "train") == (3, 4, 8)
    told = "outside of the batches" if names_lines else "without a batch of record.batches()"
    assert sum(told in text for text in baseline.measurement.warnings) == 1


def test_what_an_optimizer_does_after_the_last_batch_is_not_told_of(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches(itertools.islice(itertools.cycle(loader()), 7)):
            step(record)
        with record.line("optimizer"):
            work(OPTIMIZER_MS)

    baseline = report_in(tmp_path)
    assert counted(baseline, "train") == (1, 7, None)
    assert not baseline.measurement.warnings


def test_a_batch_that_fails_is_not_told_of_as_a_step_outside(tmp_path: Path) -> None:
    def loop() -> None:
        with ob.record(tmp_path) as record, record.stage("train"):
            for index, _ in enumerate(record.batches(loader())):
                step(record)
                _ = 1 // (2 - index)

    with pytest.raises(ZeroDivisionError):
        loop()

    assert counted(report_in(tmp_path), "train") == (1, 2, 4)
    assert not report_in(tmp_path).measurement.warnings


def test_a_validation_inside_a_training_batch_is_not_told_of(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches([1, 2]):
            validate(record, [1, 2])

    assert "Two stages were open at once" not in (tmp_path / "baseline.md").read_text()


def test_a_stage_that_is_entered_inside_itself_ends_with_the_outer_block(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record:
        block = record.stage("train")
        with block:
            with block:
                for _ in record.batches([1, 2]):
                    work(FORWARD_MS)
            work(1.0)
        work(100.0)

    assert lines_ms(tmp_path, "train") == {"other": 2 * FORWARD_MS + 1.0}


def test_each_epoch_has_its_own_time_where_a_stage_reads_several_loaders(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record:
        for epoch in range(2):
            with record.stage("validation", epoch=epoch):
                for _ in range(2):
                    for _ in record.batches([1, 2, 3]):
                        work(10.0 * (epoch + 1))

    phase = report_in(tmp_path).phase("validation")
    assert phase is not None
    assert [(one.epoch, one.batches) for one in phase.per_epoch] == [(0, 6), (1, 6)]
    assert [one.total_s for one in phase.per_epoch] == pytest.approx([0.060, 0.120])


@pytest.mark.parametrize("wrong", [-1, 2**63, "first", 2.5])
def test_numbers_that_no_record_can_hold_cost_no_batches(tmp_path: Path, wrong: Any) -> None:
    with ob.record(tmp_path) as record:
        for epoch in (0, wrong):
            with record.stage("train", epoch=epoch):
                for _ in record.batches([1, 2], dataloader_idx=wrong):
                    record.samples(wrong)

    baseline = report_in(tmp_path)
    phase = baseline.phase("train")
    assert phase is not None
    assert (phase.batches, phase.samples) == (4, None)
    assert [one.epoch for one in phase.per_epoch] == [0, 1]
    said = " ".join(baseline.measurement.warnings)
    assert "an epoch that isn't a number from 0 up" in said
    assert "a dataloader_idx that isn't a number from 0 up" in said


def test_a_loop_in_a_folder_that_was_removed_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with ob.record(tmp_path / "report", summary=False) as run, run.stage("train"):
        for _ in run.batches([1, 2, 3]):
            pass

    assert run.files is not None
    phase = run.files.baseline.phase("train")
    assert phase is not None
    assert phase.batches == 3
