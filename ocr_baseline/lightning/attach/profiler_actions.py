"""Listens to the actions of `trainer.profiler`, whatever profiler that is.

The profiler stays the user's own object: nothing is put in its place or into it. The methods of
its class are replaced while a run is recorded, and act for that one object in that one thread.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

from ocr_baseline.lightning.attach.empty_hooks import IDLE
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ocr_baseline.lightning.attach.patches import Listeners, Patches

    Context = AbstractContextManager[Any]


class Actions(Protocol):
    """Who is told of a trainer's actions.

    Attributes:
        contexts: The contexts that need no look, by action.
    """

    contexts: dict[str, Context]

    def context_of(self, action_name: str) -> Context | None:
        """Return the context of an action; None for one of the user's own."""

    def started(self, action_name: str) -> None:
        """An action began by `profiler.start`."""

    def stopped(self, action_name: str) -> None:
        """It ended by `profiler.stop`."""

    def enter_own(self, action_name: str) -> None:
        """An action of the user's own began by `profiler.profile`."""

    def exit_own(self, action_name: str) -> None:
        """It ended."""


class _Here(threading.local):
    """What the calling thread's runs know without another look.

    Attributes:
        contexts: The contexts of each profiler whose own actions do nothing, by action.
    """

    def __init__(self) -> None:
        self.contexts: dict[Any, dict[str, Context]] = {}

    def __reduce__(self) -> str:
        """By its name: a profiler's class of a script's own is pickled with its methods."""
        return "_here"


_here = _Here()


class ProfilerListener:
    """Hands one profiler's actions to the accounts of one run, in the thread that makes this.

    A profiler of the user's is known by its identity: a reference would change how long it lives.
    """

    __slots__ = ("_known", "_plain", "accounting", "failed", "is_alone", "profiler_id")

    def __init__(self, accounting: Actions, failed: Callable[[Exception], None]) -> None:
        """Listen to no profiler yet."""
        self.accounting = accounting
        self.failed = failed
        self.profiler_id: int | None = None
        self.is_alone = False
        self._known = _here.contexts
        self._plain: Any = None

    def listen_to(self, profiler: Any, *, is_alone: bool) -> None:
        """Listen to `profiler` and no other; `is_alone` says that its own actions do nothing."""
        self.let_go()
        self.profiler_id = id(profiler)
        self.is_alone = is_alone
        if is_alone:
            self._plain = profiler
            self._known[profiler] = self.accounting.contexts

    def let_go(self) -> None:
        """Listen to no profiler any more; any thread may ask, and again."""
        if self._known.get(self._plain) is self.accounting.contexts:
            del self._known[self._plain]
        self.profiler_id = self._plain = None

    def attach(self, profiler_class: type, patches: Patches) -> None:
        """Replace the class's methods, until `patches` are undone.

        Raises:
            TypeError: When they can't be replaced.
        """
        for name, wrap in (("profile", _profile), ("start", _start), ("stop", _stop)):
            patches.listen(profiler_class, name, self, wrap)


def _profile(original: Callable[..., Any], listeners: Listeners) -> Callable[..., Any]:
    def profile(self: Any, action_name: str, *args: Any, **kwargs: Any) -> Any:
        try:  # nearly every call ends here, some twenty in each batch: not one more call
            return _here.contexts[self][action_name]
        except (KeyError, TypeError):
            pass
        except Exception as error:  # noqa: BLE001 - it can't be looked up
            let_through(error)
        return asked(self, action_name, *args, **kwargs)

    def asked(self: Any, action_name: str, *args: Any, **kwargs: Any) -> Any:
        listener = listeners.get(get_ident())
        if listener is None or listener.profiler_id != id(self):
            return original(self, action_name, *args, **kwargs)
        try:
            context = listener.accounting.context_of(action_name)
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            if isinstance(action_name, str):
                listener.failed(error)
            return original(self, action_name, *args, **kwargs)
        if context is None:
            return _own_action(listener, action_name, original(self, action_name, *args, **kwargs))
        if listener.is_alone:
            return context
        inner = original(self, action_name, *args, **kwargs)
        return inner if context is IDLE else _Pair(context, inner)

    return profile


def _start(original: Callable[..., Any], listeners: Listeners) -> Callable[..., Any]:
    def start(self: Any, action_name: str, *args: Any, **kwargs: Any) -> Any:
        listener = listeners.get(get_ident())
        result = original(self, action_name, *args, **kwargs)
        if listener is not None and listener.profiler_id == id(self):
            try:
                listener.accounting.started(action_name)
            except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
                if isinstance(action_name, str):
                    listener.failed(error)
        return result

    return start


def _stop(original: Callable[..., Any], listeners: Listeners) -> Callable[..., Any]:
    def stop(self: Any, action_name: str, *args: Any, **kwargs: Any) -> Any:
        listener = listeners.get(get_ident())
        if listener is not None and listener.profiler_id == id(self):
            try:
                listener.accounting.stopped(action_name)
            except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
                if isinstance(action_name, str):
                    listener.failed(error)
        return original(self, action_name, *args, **kwargs)

    return stop


@contextmanager
def _own_action(listener: ProfilerListener, action_name: str, inner: Context) -> Iterator[Any]:
    """Run the user's own action as a section of its name, inside the line around it."""
    try:
        listener.accounting.enter_own(action_name)
    except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
        listener.failed(error)
    try:
        with inner as value:
            yield value
    finally:
        try:
            listener.accounting.exit_own(action_name)
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            listener.failed(error)


class _Pair:
    """Our context around the user's own profiler's."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, outer: Context, inner: Context) -> None:
        self._outer = outer
        self._inner = inner

    def __enter__(self) -> Any:
        self._outer.__enter__()
        try:
            return self._inner.__enter__()
        except BaseException:
            self._outer.__exit__(None, None, None)
            raise

    def __exit__(self, *exc_info: Any) -> bool | None:
        try:
            return self._inner.__exit__(*exc_info)
        finally:
            self._outer.__exit__(*exc_info)
