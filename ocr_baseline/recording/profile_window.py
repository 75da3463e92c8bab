"""A window of torch.profiler over a few steady batches, once in a run, where it was asked for.

It ends sooner than asked where a profiler of the user's begins, where another stage does, or where
it has lasted for long: two profilers can't be on at once, and events take memory.
"""

from __future__ import annotations

import sys
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.model.privacy import error_text
from ocr_baseline.recording.window_events import WindowEvents
from ocr_baseline.signal_errors import let_through
from ocr_baseline.vocabulary import SECONDS_PER_NS, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.measure.batches import StageState
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.records.format import ProfileWindowJson

FIRST_POSITION = 10
"""The first batch of the stage that a window may begin at: warm-up is over."""

MOST_SECONDS = 30.0
MOST_TRACED_S = 3.0
"""Python's functions are followed in a window that should last for no longer than this: millions of
their calls a second take a hundred bytes each."""

MOST_EVENTS = 30_000
"""So many operators and kernels are read, in some six seconds."""

MARKER = "ocr_baseline: the window begins"


class ProfileWindow:
    """One window over `batches` training batches; it opens and closes between hooks of a batch.

    Attributes:
        is_over: Whether it is closed, or will never open.
    """

    def __init__(self, recorder: Recorder, device: torch.device, batches: int) -> None:
        """Wait for the first steady batch that has enough others behind it."""
        self._recorder = recorder
        self._device = device
        self._batches = batches
        self._session: profile | None = None
        self._why_no_stacks: str | None = None
        self._done = 0
        self._position = self._epoch = self._batch_idx = 0
        self._opened_ns = self._cost_ns = self._cost_began_ns = 0
        self._is_opening = False
        self.is_over = False

    def begin_batch(self, state: StageState, batch_idx: int, left: float, in_a_pass: float) -> None:
        """A training batch goes to its step.

        Args:
            state: The accounts of the stage.
            batch_idx: The batch's number in its epoch.
            left: Batches until the loop does anything else, this one too.
            in_a_pass: Batches between two such ends.
        """
        if self.is_over:
            return
        if self._session is not None:
            state.set_aside.append(state.position)
            return
        needed = min(self._batches, max(in_a_pass - 1, 1))
        # An epoch that goes on from a checkpoint has no finished batch at first.
        is_steady = state.position >= FIRST_POSITION and len(state.epoch_durations_ns) > 0
        if not is_steady or left < needed:
            return
        why_not = _why_not()
        if why_not is not None:
            self.give_up(why_not)
            return
        state.set_aside.append(state.position)
        self._position, self._epoch, self._batch_idx = state.position, state.epoch, batch_idx
        expected_s = needed * state.epoch_durations_ns[-1] * SECONDS_PER_NS
        self._why_no_stacks = _why_no_stacks(expected_s)
        with self._charged():
            self._open()

    def end_batch(self, left: float) -> None:
        """The step's last hook is called; `left` are the batches as before."""
        if self._session is None:
            return
        self._done += 1
        took_s = (self._recorder.now_ns() - self._opened_ns) * SECONDS_PER_NS
        if self._done >= self._batches or left <= 1 or took_s > MOST_SECONDS:
            self.close()

    def close(self) -> None:
        """Close the window and write what it holds; harmless when it isn't open."""
        session, self._session = self._session, None
        if session is None:
            return
        self.is_over = True
        duration_ns = self._recorder.now_ns() - self._opened_ns
        with self._charged():
            try:
                self._write(_read(session), duration_ns)
            except Exception as error:  # noqa: BLE001 - no window is worth a training
                let_through(error)
                self._write_why_not(f"it could not be read ({error_text(error)})")

    def other_begins(self) -> None:
        """A profiler of torch that isn't this window's is about to begin."""
        if not self._is_opening:
            self.give_up("another profiler of torch runs in this training")

    def give_up(self, why_not: str) -> None:
        """Open no window in this run; tell why, unless there was one."""
        if self._session is not None:
            self.close()
        elif not self.is_over:
            self.is_over = True
            self._write_why_not(why_not)

    def _open(self) -> None:
        activities = [ProfilerActivity.CPU]
        if self._device.type == "cuda":
            activities.append(ProfilerActivity.CUDA)
        self._is_opening = True
        try:
            self._session = _begun(activities, with_stack=self._why_no_stacks is None)
        except Exception as error:  # noqa: BLE001 - no window is worth a training
            let_through(error)
            self.give_up(f"torch.profiler could not begin ({error_text(error)})")
        finally:
            self._is_opening = False
        self._opened_ns = self._recorder.now_ns()
        with record_function(MARKER):
            pass

    @contextmanager
    def _charged(self) -> Iterator[None]:
        """Charge the block to the profiler's line; its random numbers are nobody's."""
        self._cost_began_ns = self._recorder.now_ns()
        with self._recorder.span(Line.PROFILER.value), unchanged_random_state():
            yield
        self._cost_ns += self._recorder.now_ns() - self._cost_began_ns

    def _write(self, found: WindowEvents, duration_ns: int) -> None:
        has_device = self._device.type != "cpu" or self._recorder.follows_device
        record: ProfileWindowJson = {
            "type": "profile_window",
            "stage": Stage.TRAIN.value,
            "epoch": self._epoch,
            "batch_idx": self._batch_idx,
            "position": self._position,
            "batches": self._done,
            "start_ns": self._opened_ns,
            "duration_ns": duration_ns,
            "has_device": has_device,
            "why_no_stacks": self._why_no_stacks,
            "left_out": found.left_out,
            "device_busy_ns": found.device_busy_ns() if has_device else None,
            "operators": found.operators(),
            "kernels": found.kernels(),
            "modules": found.modules(),
            "waits": found.waits(),
            "events": found.longest(self._opened_ns),
            "cost_ns": self._cost_ns + self._recorder.now_ns() - self._cost_began_ns,
        }
        self._recorder.write(record)

    def _write_why_not(self, why_not: str) -> None:
        self._recorder.write({"type": "not_measured", "metric": "profile_window", "why": why_not})


def _why_not() -> str | None:
    """Return why no window can open now, None where it can."""
    if torch.autograd._profiler_enabled():  # type: ignore[attr-defined]  # torch's gap
        return "another profiler of torch runs in this training"
    return None


def _why_no_stacks(expected_s: float) -> str | None:
    """Return why Python's functions aren't followed in a window of so many seconds, None if so."""
    if expected_s > MOST_TRACED_S:
        return "its batches are long, and their calls would take too much memory"
    monitoring = getattr(sys, "monitoring", None)  # since Python 3.12, which cProfile uses
    is_monitored = monitoring is not None and monitoring.get_tool(monitoring.PROFILER_ID)
    if sys.getprofile() is not None or threading.getprofile() is not None or is_monitored:
        return "a profiler of Python's is in use, which torch's own would take away"
    return None


def _begun(activities: list[ProfilerActivity], *, with_stack: bool) -> profile:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Without `verbose`, the events have no stacks whatever `with_stack` says.
        config = torch._C._profiler._ExperimentalConfig(verbose=with_stack)
        session = profile(activities=activities, with_stack=with_stack, experimental_config=config)
        session.start()
    return session


def _read(session: profile) -> WindowEvents:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session.stop()
        inner: Any = session.profiler
        results = _WithoutFunctions(inner.kineto_results)
        inner.kineto_results = results
        return WindowEvents(session.events() or [], MARKER, left_out=results.left_out)  # type: ignore[no-untyped-call]  # torch's gap


class _WithoutFunctions:
    """The results of torch's profiler without events of Python's functions, and not too many.

    There are far more functions than operators, whose stacks name them anyway; torch takes a fifth
    of a millisecond to make an event of each.
    """

    def __init__(self, results: Any) -> None:
        self._results = results
        self.left_out = 0

    def events(self) -> list[Any]:
        found = [event for event in self._results.events() if not _is_function(event)]
        found.sort(key=lambda event: event.start_ns())
        self.left_out = max(0, len(found) - MOST_EVENTS)
        return found[:MOST_EVENTS]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._results, name)


def _is_function(event: Any) -> bool:
    """Whether an event is a function of Python's; a torch before 2.9 has none of them here."""
    asked = getattr(event, "is_python_function", None)
    return asked is not None and bool(asked())
