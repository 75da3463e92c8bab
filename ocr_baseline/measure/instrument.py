"""Times callables by their dotted name, without a change to the code that calls them.

A Python function is timed where it is (`timed_functions.py`). Anything else, a function or a class
of a C extension above all, is replaced where it is defined and in every loaded module that
imported it by name.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import MethodType
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import OperationError
from ocr_baseline.measure.pickling import link, unlink
from ocr_baseline.measure.sections import section
from ocr_baseline.measure.stand_in import original_of, timed_class, timed_object
from ocr_baseline.measure.timed_functions import (
    CallContext,
    is_exchangeable,
    time_function,
    untime_function,
)
from ocr_baseline.signal_errors import let_through, suppress_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from ocr_baseline.measure.operation_names import Target

# The objects timed here are whatever the user named: only `Any` describes them.
_ABSENT = object()
_IMMUTABLE_TYPE, _HEAP_TYPE = 1 << 8, 1 << 9
"""Flags of CPython's types (`Include/object.h`)."""
_OWN_PACKAGE = __name__.partition(".")[0]


@functools.lru_cache(maxsize=1024)
def operation_context(name: str) -> section:
    """Return what the calls of an operation run inside, the same for every run."""
    return section(name)


class Instrumentation:
    """What one run has put in place; `undo` takes back what is still there."""

    def __init__(self) -> None:
        """Begin with nothing in place."""
        self._undo: list[Callable[[], None]] = []

    def time(self, *timed: tuple[Target, AbstractContextManager[None]]) -> None:
        """Run every call of each target inside its context from now on.

        To give all at once costs one look through the loaded modules, some ten milliseconds.

        Raises:
            OperationError: When neither an attribute nor its class can be replaced.
        """
        elsewhere: list[tuple[Target, AbstractContextManager[None]]] = []
        for target, context in timed:
            value = original_of(target.static_value)
            found = _function_in(value, target.owner)
            if found is not None:
                function, holds = found
                self.time_function(function, context, holds)
            elif inspect.ismodule(target.owner) or not _is_changeable(target.owner):
                elsewhere.append((target, context))
            else:
                self.replace(target.owner, target.attribute, _wrapped(value, context))
        self._replace_everywhere(elsewhere)

    def time_function(
        self,
        function: Any,
        context: AbstractContextManager[Any] | Callable[[Any], AbstractContextManager[Any]],
        holds: Callable[[Any], bool] | None = None,
    ) -> None:
        """Time a Python function, or the one in a bound method for calls of its object.

        Args:
            function: What to time.
            context: What its calls run inside; a function that returns it from the first argument
                of a call where it is no context itself.
            holds: Whether a call is one to time, from its first argument.
        """
        if type(function) is MethodType:
            function, holds = function.__func__, _Is(function.__self__)
        key = (context.name, holds) if isinstance(context, section) else None
        call_context = CallContext(
            context if holds is None else _only_where(holds, context),
            by_first_argument=holds is not None or not hasattr(context, "__enter__"),
            key=key,
        )
        # First, for Ctrl-C may come in between.
        self._undo.append(functools.partial(untime_function, function, call_context))
        time_function(function, call_context)

    def time_method(self, function: Any, context: AbstractContextManager[Any]) -> None:
        """Time a function that an object holds, or its bound method; of C it goes untimed."""
        if is_exchangeable(getattr(function, "__func__", function)):
            self.time_function(function, context)

    def replace(self, owner: Any, attribute: str, replacement: Any) -> None:
        """Set an attribute until `undo`; an inherited one is deleted again then.

        Raises:
            AttributeError, TypeError: When the owner does not let it be set.
        """
        place = _Place(owner, attribute, replacement)
        self._undo.append(place.take_back)

    def undo(self) -> None:
        """Take everything back, the last first; what somebody else has replaced stays theirs."""
        while self._undo:
            try:
                self._undo[-1]()  # one that Ctrl-C cuts short is done again
            except Exception:
                self._undo.pop()
                self.undo()  # the others all the same
                raise
            self._undo.pop()

    def _replace_everywhere(self, timed: list[tuple[Target, AbstractContextManager[None]]]) -> None:
        with _lock:
            new: dict[int, _Replaced] = {}
            for target, context in timed:
                is_function = inspect.ismodule(target.owner)
                original = original_of(target.static_value) if is_function else target.owner
                shared = _replaced.get(id(original))
                if shared is None:
                    shared = _stand_in_for(target, original)
                    _replaced[id(original)] = new[id(original)] = shared
                self._undo.append(shared.add(target, context))
            _put_in_modules(new)
            for shared in new.values():
                if not shared.places:
                    name = shared.original.__name__
                    raise OperationError(f"no loaded module holds {name}: it can't be timed")


def _function_in(value: Any, owner: Any) -> tuple[Any, Callable[[Any], bool] | None] | None:
    """Return the Python function that a call runs, and which of its calls are meant."""
    if type(value) is MethodType and is_exchangeable(value.__func__):
        return value, None
    function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    if is_exchangeable(function):
        is_inherited = isinstance(owner, type) and value not in vars(owner).values()
        if not is_inherited or isinstance(value, staticmethod):
            return function, None
        return function, _IsBelow(owner) if isinstance(value, classmethod) else _IsOf(owner)
    call = inspect.getattr_static(type(function), "__call__", None)
    return (call, _Is(function)) if is_exchangeable(call) else None


@dataclass(frozen=True, eq=False)
class _Is:
    """Whether a call is one of this object's."""

    original: Any

    def __call__(self, first: Any) -> bool:
        return first is self.original

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Is) and other.original is self.original

    def __hash__(self) -> int:
        return id(self.original)


@dataclass(frozen=True)
class _IsOf:
    """Whether a call is of an object of this class."""

    owner: type

    def __call__(self, first: Any) -> bool:
        return self.owner in type(first).__mro__


@dataclass(frozen=True)
class _IsBelow:
    """Whether a call is of this class or one below it."""

    owner: type

    def __call__(self, first: Any) -> bool:
        return isinstance(first, type) and self.owner in first.__mro__


def _only_where(
    holds: Callable[[Any], bool], context: Any
) -> Callable[[Any], AbstractContextManager[Any]]:
    elsewhere = nullcontext()

    def context_of(first: Any) -> AbstractContextManager[Any]:
        try:
            return context if holds(first) else elsewhere
        except Exception as error:  # noqa: BLE001 - a call that can't be told apart goes untimed
            let_through(error)
            return elsewhere

    return context_of


def _is_changeable(owner: Any) -> bool:
    """Whether attributes of an owner can be set: not those of C extensions' classes."""
    if not isinstance(owner, type):
        return True
    return bool(owner.__flags__ & _HEAP_TYPE) and not owner.__flags__ & _IMMUTABLE_TYPE


def _wrapped(value: Any, context: AbstractContextManager[Any]) -> Any:
    if isinstance(value, staticmethod | classmethod):
        return type(value)(timed_object(value.__func__, context))
    return timed_object(value, context)


class _Place:
    """An attribute that holds something else until it is taken back."""

    def __init__(self, owner: Any, attribute: str, replacement: Any) -> None:
        self._owner = owner
        self._attribute = attribute
        self._replacement = replacement
        self._previous = vars(owner).get(attribute, _ABSENT)
        setattr(owner, attribute, replacement)

    def take_back(self) -> None:
        if vars(self._owner).get(self._attribute, _ABSENT) is not self._replacement:
            return
        with suppress_failures():  # an owner that takes nothing any more keeps it
            if self._previous is _ABSENT:
                delattr(self._owner, self._attribute)
            else:
                setattr(self._owner, self._attribute, self._previous)


class _Contexts:
    """The contexts of all runs that time one callable."""

    def __init__(self) -> None:
        self.all: list[AbstractContextManager[Any]] = []
        self._different: tuple[AbstractContextManager[Any], ...] = ()

    def __enter__(self) -> None:
        for context in self._different:
            context.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        for context in reversed(self._different):
            context.__exit__(*exc_info)

    def add(self, context: AbstractContextManager[Any]) -> None:
        self.all.append(context)
        self._different = tuple(dict.fromkeys(self.all))

    def remove(self, context: AbstractContextManager[Any]) -> None:
        self.all.remove(context)
        self._different = tuple(dict.fromkeys(self.all))


@dataclass
class _Replaced:
    """What stands in for one C function or class in all modules, for all runs that time it."""

    original: Any
    stand_in: Any
    contexts: dict[str, _Contexts] = field(default_factory=dict)
    places: list[_Place] = field(default_factory=list)

    def add(self, target: Target, context: AbstractContextManager[Any]) -> Callable[[], None]:
        """Time calls of a target inside `context` too; return what ends that."""
        contexts = self.contexts.get(target.attribute)
        if contexts is None:
            contexts = self.contexts[target.attribute] = _Contexts()
            if isinstance(self.original, type):
                value = inspect.getattr_static(self.original, target.attribute)
                setattr(self.stand_in, target.attribute, _wrapped(value, contexts))
        contexts.add(context)
        return functools.partial(self._remove, contexts, context)

    def _remove(self, contexts: _Contexts, context: AbstractContextManager[Any]) -> None:
        with _lock:
            contexts.remove(context)
            if any(one.all for one in self.contexts.values()):
                return
            for place in self.places:
                place.take_back()
            # Modules that were loaded meanwhile and imported the stand-in get the original too.
            for module, name, _ in list(_bound_names({id(self.stand_in)})):
                setattr(module, name, self.original)
            del _replaced[id(self.original)]
            unlink(self.original)


_lock = threading.RLock()
_replaced: dict[int, _Replaced] = {}


def _stand_in_for(target: Target, original: Any) -> _Replaced:
    """Make what stands in for the original.

    Raises:
        OperationError: When it can't be: a class that has no subclasses, or is Python's own.
    """
    if not isinstance(original, type):
        contexts = _Contexts()
        stand_in = timed_object(original, contexts)
        link(original, target.owner.__name__, target.attribute)
        return _Replaced(original, stand_in, {target.attribute: contexts})
    if original.__module__ == "builtins":
        raise OperationError(
            f"operation {target.dotted_name!r}: Python's own {original.__name__} can't be "
            "changed; time the function that calls it, or use section()"
        )
    try:
        return _Replaced(original, timed_class(original))
    except TypeError as error:
        raise OperationError(
            f"operation {target.dotted_name!r}: {original.__name__} can be neither changed "
            "nor subclassed; time the function that calls it, or use section()"
        ) from error


def _put_in_modules(new: Mapping[int, _Replaced]) -> None:
    for module, attribute, value in list(_bound_names(set(new))):
        shared = new[id(value)]
        shared.places.append(_Place(module, attribute, shared.stand_in))


def _bound_names(identities: set[int]) -> Iterator[tuple[Any, str, Any]]:
    """Yield each (module, name, value) of the loaded modules that holds one of these objects.

    This package's own modules go on with the originals: they measure with them.
    """
    if not identities:
        return
    for module_name, module in list(sys.modules.items()):
        namespace = _namespace_of(module)
        if not isinstance(namespace, dict) or module_name.partition(".")[0] == _OWN_PACKAGE:
            continue
        for name, bound in list(namespace.items()):
            if id(bound) in identities:
                yield module, name, bound


def _namespace_of(module: Any) -> Any:
    """Return a module's names without asking it: a lazy one would load itself at any question."""
    try:
        return object.__getattribute__(module, "__dict__")
    except AttributeError:
        return None
