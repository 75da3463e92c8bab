"""Samples the call stack of the thread that trains, on a timer, from inside the process.

A timer sends `SIGURG` to that thread alone, some hundred times a second. Python runs the handler
in the main thread between two instructions, so it sees exactly where that thread is, which a
thread beside it doesn't: that one gets its turn only where the interpreter's lock is let go.

`SIGURG` is ignored by default, so a program that puts its handling back loses samples and nothing
else; Go's runtime chose it for that reason. Each tick arms the next, so a program that handles it
by itself from some moment on gets one signal that it didn't expect, and no more.

A call into C that doesn't look for signals is interrupted once it is over: intervals that ended
meanwhile count for the stack that is met then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocr_baseline.clocks import perf_counter_ns, process_time_ns, thread_time_ns
from ocr_baseline.measure import recursion_limit, tick_timer
from ocr_baseline.measure.signal_action import is_default_action
from ocr_baseline.measure.tick_timer import TickTimer
from ocr_baseline.measure.traced_code import leave_untraced

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.vocabulary import Stage

MOST_STACKS = 20_000
"""Different stacks kept between two records; of further ones only the line is kept."""

MOST_FUNCTIONS = 5_000
"""Different functions kept in a run; stacks with further ones count as such."""

MOST_FRAMES = 200
"""Frames kept of a stack, the innermost; more only where something recurses."""

OTHERS = 0
"""Stands for the whole stack where one of these limits was reached; no code has this identity."""

COST_SHARE = 0.01
FREE_COST_NS = 500_000_000
"""Ticks become rarer once they take more than this share of the processor time and this much."""

_OWN_FILES = frozenset({__file__, tick_timer.__file__})
_TICKS_BETWEEN_LOOKS = 64
_RAREST = 1024
_NS_PER_S = 1_000_000_000

Stacks = dict[tuple[int, ...], int]
"""Ticks by line index followed by identities of code objects, innermost first."""


@dataclass
class StageStacks:
    """What was sampled in one stage, and the processor time it took."""

    ticks: Stacks = field(default_factory=dict)
    cost_ns: int = 0


class StackSampler:
    """Samples one thread, whose timeline says which stage and line a stack belongs to.

    Attributes:
        codes: The functions met so far by identity; kept, so that no other gets that identity.
        why_not: Why there are no samples, or none from some moment on; None while all is well.
        cost_ns: Processor time that the ticks took the thread so far, in nanoseconds.
    """

    def __init__(self, timeline: Timeline, rate_hz: float) -> None:
        """Prepare to sample `rate_hz` times a second at most; `start` begins."""
        self.interval_ns = max(1, round(_NS_PER_S / rate_hz))
        self.codes: dict[int, CodeType] = {}
        self.why_not: str | None = None
        self.cost_ns = 0
        self._timeline = timeline
        self._timer: TickTimer | None = None
        self._stages: dict[Stage, StageStacks] = {}
        self._last = 0
        self._step = 1
        self._looks_in = _TICKS_BETWEEN_LOOKS
        self._cpu_began_ns = 0

    def start(self) -> None:
        """Sample the calling thread until `stop`; where that can't be, `why_not` says so."""
        if self._timer is not None:
            return
        self.why_not = _obstacle()
        if self.why_not is not None:
            return
        try:
            self._timer = TickTimer(signal.SIGURG)
        except OSError as error:
            self.why_not = f"a timer can't be made ({error}); it takes a Linux that permits them"
            return
        _listen(self)
        self._cpu_began_ns = process_time_ns()
        self._last = perf_counter_ns() // self.interval_ns
        self._timer.arm(self.interval_ns)

    @property
    def is_running(self) -> bool:
        """Whether `start` began and `stop` hasn't ended it."""
        return self._timer is not None

    def stop(self) -> None:
        """End; harmless when repeated. What was sampled stays until it is taken."""
        if self._timer is None:
            return
        self._timer.close()
        if signal.getsignal(signal.SIGURG) is not _on_tick:
            self.why_not = "the program took over SIGURG, the signal that sampling used"
        _forget(self)
        self._timer = None  # last: where Ctrl-C cuts this short, it is done again

    def forget(self) -> None:
        """Let go of the timer in a process that was forked: it belongs to the parent."""
        self._timer = None

    def take(self) -> dict[Stage, StageStacks]:
        """Return what was sampled since the last call; any thread may ask.

        A tick that is under way in that very moment may be lost.
        """
        taken, self._stages = self._stages, {}
        return taken

    def tick(self, frame: FrameType | None) -> None:
        """Count the intervals that have ended for the stack of `frame`, and arm the next tick.

        This runs between any two instructions of the training's, so it keeps nothing but new
        stacks, and torch's compiler passes over every function that it calls.
        """
        began_cpu_ns = thread_time_ns()
        began_ns = perf_counter_ns()
        now = began_ns // self.interval_ns
        ticks, self._last = now - self._last, now
        try:
            # Whoever puts back the handlers that it found, as a Trainer does, drops this.
            signal.siginterrupt(signal.SIGURG, False)
            if sys.gettrace() is not None:  # a debugger would step through each tick
                self.why_not = "a debugger or another tracer was at work"
            elif _has_wakeup_fd():  # an event loop, which this tick has woken
                self.why_not = "an event loop began to hear of every signal (signal.set_wakeup_fd)"
            elif ticks > 0:
                self._count(frame, ticks, began_cpu_ns)
        except Exception as error:
            if not _is_own(error):  # a signal handler of the user's has raised it in here
                raise
            self.why_not = f"sampling failed ({type(error).__name__})"
        finally:
            timer = self._timer
            if timer is not None and self.why_not is None:
                timer.arm((now + self._step) * self.interval_ns - began_ns)

    def _count(self, frame: FrameType | None, ticks: int, began_cpu_ns: int) -> None:
        timeline = self._timeline
        operations = timeline.operations
        line = timeline.current
        if line in operations:
            for line in reversed(timeline.stack):
                if line not in operations:
                    break
            else:
                line = 0
        while frame is not None and frame.f_code.co_filename in _OWN_FILES:
            frame = frame.f_back  # the tick before was still at its end
        if frame is not None and _is_at_entry(frame):
            frame = frame.f_back
        numbers = [line]
        below = frame
        while below is not None and len(numbers) <= MOST_FRAMES:
            numbers.append(id(below.f_code))
            below = below.f_back
        stack = tuple(numbers)
        stages = self._stages
        taken = stages.get(timeline.stage)
        if taken is None:
            taken = stages[timeline.stage] = StageStacks()
        if stack not in taken.ticks and not self._is_kept(frame, len(taken.ticks)):
            stack = (line, OTHERS)
        taken.ticks[stack] = taken.ticks.get(stack, 0) + ticks
        self._looks_in -= 1
        if not self._looks_in:
            self._look_at_cost()
        cost_ns = thread_time_ns() - began_cpu_ns
        taken.cost_ns += cost_ns
        self.cost_ns += cost_ns

    def _is_kept(self, frame: FrameType | None, stacks: int) -> bool:
        """Keep the functions of a new stack, unless there are too many of either."""
        if stacks >= MOST_STACKS or frame is None:
            return False
        codes = self.codes
        depth = 0
        while frame is not None and depth < MOST_FRAMES:
            code = frame.f_code
            if id(code) not in codes:
                if len(codes) >= MOST_FUNCTIONS:
                    return False
                codes[id(code)] = code
            frame = frame.f_back
            depth += 1
        return True

    def _look_at_cost(self) -> None:
        """Make ticks rarer, or more frequent again, by what they cost so far."""
        self._looks_in = _TICKS_BETWEEN_LOOKS
        allowed_ns = COST_SHARE * (process_time_ns() - self._cpu_began_ns)
        if self.cost_ns > max(FREE_COST_NS, allowed_ns):
            self._step = min(2 * self._step, _RAREST)
        elif self._step > 1 and self.cost_ns < allowed_ns / 2:
            self._step //= 2


def _is_own(error: Exception) -> bool:
    """Whether an exception was raised by code of this module."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_code.co_filename == __file__


def _is_at_entry(frame: FrameType) -> bool:
    """Whether a function has been entered and has done nothing yet.

    Calls into C by an operator (`a @ b`) don't look for signals, entering a function does: the
    time that has passed is its caller's. Its first instructions make its cells and resume it.
    """
    instruction = frame.f_lasti
    if instruction > _LONGEST_ENTRY:
        return False
    code = frame.f_code
    before = len(code.co_cellvars) + bool(code.co_freevars)
    if code.co_flags & _MAKES_GENERATOR:
        before += 2
    return instruction <= (before * 2 if _HAS_ENTRY_INSTRUCTIONS else -1)


_LONGEST_ENTRY = 64
_HAS_ENTRY_INSTRUCTIONS = sys.version_info >= (3, 11)
"""Before Python 3.11 a function that was entered is at no instruction yet: -1."""

_MAKES_GENERATOR = 0x20 | 0x80 | 0x200
"""`CO_GENERATOR`, `CO_COROUTINE` and `CO_ASYNC_GENERATOR` (the module `inspect` has them)."""

_running: list[StackSampler] = []
"""Those of the main thread: one, or that of a Trainer inside a Trainer too."""

_lock = threading.Lock()


def _on_tick(signal_number: int, frame: FrameType | None) -> None:
    for sampler in _running:
        sampler.tick(frame)


def _obstacle() -> str | None:
    """Say what keeps this thread from being sampled, and what would permit it; None if nothing."""
    if not hasattr(signal, "SIGURG") or not sys.platform.startswith("linux"):
        return f"sampling needs a timer that only Linux has, and this is {sys.platform}"
    if threading.current_thread() is not threading.main_thread():
        return (
            "the training runs in a thread beside the main one, and Python handles signals in the "
            "main thread alone; run it there"
        )
    if sys.gettrace() is not None:
        return "a debugger or another tracer is at work; run without it"
    is_ours = signal.getsignal(signal.SIGURG) is _on_tick
    if not is_ours and not is_default_action(signal.SIGURG):
        return "another part of the program handles SIGURG, the signal that sampling needs"
    if signal.SIGURG in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        return "SIGURG, the signal that sampling needs, is blocked in this thread; unblock it"
    if _has_wakeup_fd():
        return (
            "an event loop hears of every signal (signal.set_wakeup_fd), and would be woken at "
            "each tick; run the training outside the loop, or in a process of its own"
        )
    return None


def _has_wakeup_fd() -> bool:
    """Whether Python writes each signal's number to a file; asking takes it away for a moment."""
    descriptor = signal.set_wakeup_fd(-1)
    if descriptor == -1:
        return False
    signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    return True


def _listen(sampler: StackSampler) -> None:
    with _lock:
        _running.append(sampler)
        # Also beside another run: somebody may have put the signal's handling back meanwhile.
        signal.signal(signal.SIGURG, _on_tick)
        signal.siginterrupt(signal.SIGURG, False)
        if len(_running) > 1:
            return
        leave_untraced(
            _on_tick,
            StackSampler.tick,
            StackSampler._count,
            StackSampler._is_kept,
            StackSampler._look_at_cost,
            _is_at_entry,
            _has_wakeup_fd,
            TickTimer.arm,
        )
        recursion_limit.widen()


def _forget(sampler: StackSampler) -> None:
    with _lock:
        if sampler in _running:
            _running.remove(sampler)
        if not _running:
            _leave_process()


def _leave_process() -> None:
    """Give the process its handling of the signal and its recursion limit back."""
    with suppress(ValueError):  # in another thread the handler stays, and does nothing
        if signal.getsignal(signal.SIGURG) is _on_tick:
            signal.signal(signal.SIGURG, signal.SIG_DFL)
    recursion_limit.narrow()


def keep_from_return(handlers: dict[Any, Any]) -> None:
    """Take our handler out of those, by signal, that another part of the program will put back.

    What it doesn't put back stays as it is: ours while something is sampled, the default after.
    """
    if hasattr(signal, "SIGURG") and handlers.get(signal.SIGURG) is _on_tick:
        del handlers[signal.SIGURG]


def _begin_anew_in_child() -> None:
    if not _running:
        return
    for sampler in _running:
        sampler.forget()
    _running.clear()
    _leave_process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_in_child)
