"""Ctrl-C and exceptions of a signal handler of the program's, at any moment of the measuring."""

from __future__ import annotations

import gc
import itertools
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, GeneratorType

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel, RandomDataset
from torch.utils.data import DataLoader, TensorDataset

import ocr_baseline
from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

PACKAGE = str(Path(ocr_baseline.__file__).parent)


class OutOfTime(Exception):
    pass


def raises(number: int, frame: FrameType | None) -> None:
    raise OutOfTime


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    """One whose start was struck is listed as one that is about to begin, and never does."""
    yield
    for thread in threading.enumerate():
        if thread.ident is None:
            threading._limbo.pop(thread)  # type: ignore[attr-defined]  # there is no other way


@pytest.fixture
def alarms() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, raises)
    yield
    signal.signal(signal.SIGALRM, before)


class Strike:
    """Sends a signal at one moment of the measuring: its nth call, or return from a call into C.

    These are the moments at which Python runs signal handlers.
    """

    def __init__(self, moment: int, number: int = signal.SIGALRM) -> None:
        self.left = moment
        self.number = number
        self.struck_in: str | None = None

    def __enter__(self) -> Strike:
        sys.setprofile(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        sys.setprofile(None)

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event not in {"call", "c_return"} or not is_measuring(frame):
            return
        self.left -= 1
        if self.left < 0:
            sys.setprofile(None)
            self.struck_in = f"{frame.f_code.co_filename}:{frame.f_lineno} {event}"
            signal.raise_signal(self.number)


def is_measuring(frame: FrameType | None) -> bool:
    """Whether the function is the package's, or one that it has called."""
    for _ in range(2):
        if frame is None:
            return False
        if frame.f_code.co_filename.startswith(PACKAGE):
            return True
        frame = frame.f_back
    return False


@pytest.fixture
def no_garbage_is_collected() -> Iterator[None]:
    """What a handler raises while garbage is collected is lost without us too."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("alarms", "no_garbage_is_collected")
def test_a_timeout_ends_a_recorded_loop_at_whatever_moment_it_strikes(tmp_path: Path) -> None:
    loader = DataLoader(TensorDataset(torch.zeros(8, 1)), batch_size=2)
    survived = []
    with ocr_baseline.record(tmp_path, summary=False, sampling_hz=0) as record:
        for moment in itertools.count():
            strike = Strike(moment)
            try:
                with record.stage("train"), strike:
                    for _ in record.batches(loader):
                        with record.line("forward"), ocr_baseline.section("forward.part"):
                            pass
            except OutOfTime:
                continue
            if strike.struck_in is None:
                break
            survived.append(strike.struck_in)

    assert moment > 100
    assert not survived
    assert record.files is not None


@pytest.mark.slow
@pytest.mark.usefixtures("alarms", "no_garbage_is_collected")
def test_a_timeout_ends_a_fit_at_whatever_moment_it_strikes(tmp_path: Path) -> None:
    moments = range(0, 200_000, 9_999)
    strikes = [fit_with_a_strike(tmp_path / str(moment), moment) for moment in moments]

    assert strikes.count("struck") > len(strikes) / 2
    assert [strike for strike in strikes if strike not in {"struck", "over"}] == []


def fit_with_a_strike(folder: Path, moment: int) -> str:
    loader = DataLoader(RandomDataset(32, 4), batch_size=2)
    callbacks: list[Callback] = [
        PerformanceProfilerCallback(output_dir=folder, sampling_hz=0),
        BaselineReportCallback(output_dir=folder, summary=False),
    ]
    trainer = Trainer(
        max_epochs=2, callbacks=callbacks, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    strike = Strike(moment)
    try:
        with strike, dropped_generators() as dropped:
            trainer.fit(BoringModel(), loader, loader)
    except (OutOfTime, RuntimeError):  # Lightning's own teardown fails where its loader has none
        return "struck"
    return "over" if strike.struck_in is None or dropped else strike.struck_in


@contextmanager
def dropped_generators() -> Iterator[list[object]]:
    """Gather the generators, left halfway as by `any`, that Python closed as a signal struck.

    Python loses what is raised there, in any program.
    """
    dropped: list[object] = []
    before = sys.unraisablehook

    def hook(lost: sys.UnraisableHookArgs) -> None:
        if isinstance(lost.object, GeneratorType) and isinstance(lost.exc_value, OutOfTime):
            dropped.append(lost.object)
        else:
            before(lost)

    sys.unraisablehook = hook
    yield dropped
    sys.unraisablehook = before


@pytest.mark.usefixtures("no_garbage_is_collected")
@pytest.mark.parametrize("part", ["__enter__", "__exit__"])
def test_ctrl_c_as_a_record_begins_or_ends_leaves_nothing_behind(part: str, tmp_path: Path) -> None:
    its_own = DataLoader.__iter__.__code__
    threads = threading.active_count()
    count = moments_of(part, tmp_path)
    begins, ends = range(1, 30), range(count - 600, count, 99)
    for moment in (*begins, *range(30, count - 600, count // 9), *ends):
        # A generator that is left early may be struck as well: Python drops what is raised there.
        with suppress(KeyboardInterrupt):
            strike_in(part, ocr_baseline.record(tmp_path, summary=False), moment)
        assert DataLoader.__iter__.__code__ is its_own
        assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
        assert threading.active_count() == threads

    with ocr_baseline.record(tmp_path, summary=False) as record, record.stage("train"):
        for _ in record.batches([1, 2]):
            pass
    assert record.files is not None
    phase = record.files.baseline.phase("train")
    assert phase is not None
    assert phase.batches == 2


def moments_of(part: str, folder: Path) -> int:
    """Return how often a signal could strike as a record begins or ends."""
    strike_in(
        part, ocr_baseline.record(folder, summary=False), sys.maxsize
    )  # what it loads is loaded now
    return sys.maxsize - strike_in(part, ocr_baseline.record(folder, summary=False), sys.maxsize)


def strike_in(part: str, record: ocr_baseline.record, moment: int) -> int:
    """Enter and leave a record, and interrupt one of the two; return the moments left."""
    if part == "__enter__":
        with Strike(moment, signal.SIGINT) as strike:
            record.__enter__()
    else:
        record.__enter__()
    with record.stage("train"):
        for _ in record.batches([1]):
            pass
    if part == "__exit__":
        with Strike(moment, signal.SIGINT) as strike:
            record.__exit__(None, None, None)
    else:
        record.__exit__(None, None, None)
    return strike.left
