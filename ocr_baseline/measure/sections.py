"""`section`: names a block of code, so that a recorded run reports its time.

The module is on the path of every timed call and of every `import ocr_baseline`: standard
library only, no state but the runs that are listening.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from ocr_baseline.measure.timed_calls import run_inside
from ocr_baseline.measure.traced_code import note_silent, trace_instead
from ocr_baseline.model.privacy import OutwardLogger
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")

logger = OutwardLogger(__name__)


class TimedBlock(Protocol):
    """Counts and times the blocks of one name."""

    def enter(self) -> None:
        """A block begins in the calling thread."""

    def exit(self) -> None:
        """The innermost block ends in the calling thread."""


class SectionListener(Protocol):
    """What listens to sections while a run is recorded."""

    @property
    def thread(self) -> int:
        """The thread whose run it is."""

    def __getitem__(self, name: str, /) -> TimedBlock:
        """Return what times the blocks of that name."""

    def note(self, text: str) -> None:
        """Keep a sentence that the run's report must say."""


class _SeveralRuns:
    """Gives the sections of each thread to its own run; those of other threads to the newest."""

    def __init__(self, listeners: tuple[SectionListener, ...]) -> None:
        self._newest = listeners[-1]
        self._by_thread = {listener.thread: listener for listener in listeners}

    def __getitem__(self, name: str) -> TimedBlock:
        return self._by_thread.get(threading.get_ident(), self._newest)[name]


_lock = threading.Lock()
_listeners: tuple[SectionListener, ...] = ()
_listener: SectionListener | _SeveralRuns | None = None


def join(listener: SectionListener) -> None:
    """Send sections to `listener` too: those of its thread, and of threads without a run."""
    with _lock:
        _set((*_listeners, listener))


def leave(listener: SectionListener) -> None:
    """Send `listener` nothing any more; harmless when repeated."""
    with _lock:
        _set(tuple(one for one in _listeners if one is not listener))


def listen(listener: SectionListener | None) -> None:
    """Send sections to `listener` alone, as in a process that was forked; None to nobody."""
    global _lock
    _lock = threading.Lock()  # the thread that held it may not have been forked
    _set(() if listener is None else (listener,))


def is_listening() -> bool:
    """Whether sections of this process are being recorded."""
    return _listener is not None


def is_listening_here() -> bool:
    """Whether a run of the calling thread is being recorded."""
    thread = threading.get_ident()
    return any(listener.thread == thread for listener in _listeners)


def tell_runs(text: str) -> None:
    """Let the report of each run that listens say a sentence."""
    for listener in _listeners:
        listener.note(text)


def _set(listeners: tuple[SectionListener, ...]) -> None:
    global _listeners, _listener
    _listeners = listeners
    _listener = _SeveralRuns(listeners) if len(listeners) > 1 else (*listeners, None)[0]


class section:
    """Time a block or a function under a name, in the main process and in loader workers.

    A section may be nested, reused and re-entered, and costs next to nothing when no run is being
    recorded. Its time in the breakdown is exclusive: what sections inside it took is theirs. In
    code that torch compiles a section does nothing, and the report says so.

    Args:
        name: Appears in reports as it is; anything but text is shown as `str` shows it.

    Example:
        >>> with section("decode"):
        ...     pass
        >>> @section("augment")
        ... def augment(image): ...
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name if type(name) is str else _text(name)

    def __enter__(self) -> None:
        listener = _listener
        if listener is not None:
            try:
                listener[self.name].enter()
            except Exception as error:  # noqa: BLE001 - the block is the user's
                _stop_listening(error)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        listener = _listener
        if listener is not None:
            try:
                listener[self.name].exit()
            except Exception as error:  # noqa: BLE001 - the block is the user's
                _stop_listening(error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` wrapped so that each of its calls is a section.

        Of a generator function each step is one, up to the next `yield`.

        Raises:
            TypeError: When the function is asynchronous.
        """
        return run_inside(function, self)


def _text(name: Any) -> str:
    try:
        return str.__str__(name) if isinstance(name, str) else str(name)
    except Exception:  # noqa: BLE001 - a name is the user's: whatever fails in it isn't ours to tell
        return f"a {type(name).__name__} without a name"


def _stop_listening(error: Exception) -> None:
    """End the measuring of sections; the block goes on."""
    let_through(error)
    if isinstance(
        error, RecursionError
    ):  # the user's own stack is full: it may tell of that itself
        return
    before = _listeners
    listen(None)
    text = f"Sections and operations are no longer timed ({type(error).__name__}: {error})."
    logger.warning("%s The run goes on.", text)
    for listener in before:
        listener.note(text)


def _trace_enter(block: section) -> None:
    note_silent(block.name)


def _trace_exit(block: section, *exc_info: Any) -> None:
    pass


trace_instead(section.__enter__, _trace_enter)
trace_instead(section.__exit__, _trace_exit)
