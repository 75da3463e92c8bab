"""Times callables by their dotted name, without a change to the code that calls them.

A timed callable is replaced where it is defined and in every loaded module that imported it by
name; `Instrumentation.undo` puts everything back.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from ocr.performance.errors import OperationError
from ocr.performance.timed_calls import is_asynchronous, run_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

# The objects wrapped here are whatever the user named: only `Any` describes them.
_ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a dotted name leads: `attribute` of `owner`, a module or a class."""

    dotted_name: str
    owner: Any
    attribute: str

    @property
    def static_value(self) -> Any:
        """The attribute as stored, without binding (`staticmethod` objects stay such)."""
        return inspect.getattr_static(self.owner, self.attribute)


def resolve(dotted_name: str) -> Target:
    """Find what a dotted name leads to, importing the modules on its way.

    Raises:
        OperationError: When a part of the name doesn't exist, or what it names isn't a function
            or a method.
    """
    parts = dotted_name.split(".")
    owner, depth = _import_longest_prefix(dotted_name, parts)
    for position in range(depth, len(parts) - 1):
        try:
            owner = getattr(owner, parts[position])
        except AttributeError as error:
            raise OperationError(
                f"operation {dotted_name!r}: {'.'.join(parts[:position])} has no attribute "
                f"{parts[position]!r}; correct the name or take it out of `operations`"
            ) from error
    target = Target(dotted_name=dotted_name, owner=owner, attribute=parts[-1])
    _check_is_callable(target)
    return target


def _import_longest_prefix(dotted_name: str, parts: list[str]) -> tuple[Any, int]:
    for depth in range(len(parts) - 1, 0, -1):
        module_name = ".".join(parts[:depth])
        try:
            return importlib.import_module(module_name), depth
        except ModuleNotFoundError as error:
            if error.name is None or not (module_name + ".").startswith(error.name + "."):
                raise OperationError(
                    f"operation {dotted_name!r}: importing {module_name} failed: {error}"
                ) from error
        except Exception as error:
            raise OperationError(
                f"operation {dotted_name!r}: importing {module_name} failed: {error}"
            ) from error
    raise OperationError(
        f"operation {dotted_name!r}: there is no module {parts[0]!r} to import; give the full "
        "dotted name, as in 'cv2.findContours', or install the package"
    )


def _check_is_callable(target: Target) -> None:
    try:
        value = target.static_value
    except AttributeError as error:
        raise OperationError(
            f"operation {target.dotted_name!r}: {getattr(target.owner, '__name__', target.owner)} "
            f"has no attribute {target.attribute!r}; correct the name or take it out of "
            "`operations`"
        ) from error
    if isinstance(value, type):
        raise OperationError(
            f"operation {target.dotted_name!r} is a class; name one of its methods, as in "
            f"'{target.dotted_name}.__init__'"
        )
    if not callable(value) and not isinstance(value, staticmethod | classmethod):
        raise OperationError(f"operation {target.dotted_name!r} is not a function or a method")
    if is_asynchronous(getattr(value, "__func__", value)):
        raise OperationError(
            f"operation {target.dotted_name!r} is asynchronous: other code runs while it waits, so "
            "its own time can't be told; take it out of `operations`"
        )


def wrap_callable(value: Any, context: AbstractContextManager[None]) -> Any:
    """Return `value` wrapped so that every call runs inside `context`."""
    if isinstance(value, staticmethod):
        return staticmethod(wrap_callable(value.__func__, context))
    if isinstance(value, classmethod):
        return classmethod(wrap_callable(value.__func__, context))

    timed = run_inside(value, context)
    _copy_public_attributes(value, timed)
    return timed


def _copy_public_attributes(value: Any, timed: Any) -> None:
    """Give `timed` what callable objects have beside the call: `cache_clear`, a ufunc's `at`."""
    known = set(dir(timed))
    for name in dir(value):
        if not name.startswith("_") and name not in known:
            with suppress(Exception):  # an attribute that can't be read now can't be missed
                setattr(timed, name, getattr(value, name))


def _stand_in(original: Any, attribute: str, replacement: Any) -> Any:
    """Return a subclass with another method that passes for the class in `isinstance`."""

    class StandIn(type(original)):  # type: ignore[misc]  # the metaclass is known at run time only
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original) if cls is subclass else _is_a(cls, instance)

        def __subclasscheck__(cls, other: Any) -> bool:
            return issubclass(other, original) if cls is subclass else _is_below(cls, other)

    def _is_a(cls: Any, instance: Any) -> bool:
        return bool(type.__instancecheck__(cls, instance))

    def _is_below(cls: Any, other: Any) -> bool:
        return bool(type.__subclasscheck__(cls, other))

    namespace = {
        attribute: replacement,
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
    }
    subclass = StandIn(original.__name__, (original,), namespace)
    return subclass


class Instrumentation:
    """The replacements of a run; a stack that `undo` empties from the top."""

    def __init__(self) -> None:
        """Begin with nothing replaced."""
        self._undo: list[Callable[[], None]] = []
        self._originals: dict[int, tuple[Any, Any]] = {}
        self._targets: dict[int, Target] = {}
        self._timed: dict[int, tuple[Any, Any]] = {}

    def time(self, target: Target, context: AbstractContextManager[None]) -> None:
        """Run every call of `target` inside `context` from now on.

        Raises:
            OperationError: When neither the attribute nor its class can be replaced.
        """
        original = target.static_value
        replacement = wrap_callable(original, context)
        self._remember(original, replacement)
        try:
            self.replace(target.owner, target.attribute, replacement)
        except (TypeError, AttributeError):
            self._replace_class(target, replacement)
            return
        if inspect.ismodule(target.owner):
            self._targets[id(original)] = target
            self._replace_imported_names(original, replacement)

    def replace(self, owner: Any, attribute: str, replacement: Any) -> None:
        """Set an attribute until `undo`; an inherited one is deleted again then."""
        previous = vars(owner).get(attribute, _ABSENT)
        setattr(owner, attribute, replacement)
        if previous is _ABSENT:
            self._undo.append(functools.partial(delattr, owner, attribute))
        else:
            self._undo.append(functools.partial(setattr, owner, attribute, previous))

    def undo(self) -> None:
        """Put everything back, the last replacement first.

        Modules that were loaded meanwhile and imported a replacement get the original too.
        """
        while self._undo:
            with suppress(AttributeError):  # somebody else has put it back already
                self._undo.pop()()
        for module, name, value in list(_bound_names(set(self._originals))):
            replacement, original = self._originals[id(value)]
            if value is replacement:
                setattr(module, name, original)
        self._originals.clear()
        self._targets.clear()
        self._timed.clear()

    def timed(self, function: Any) -> Any:
        """Return what is timed in place of a function; the function itself where it isn't."""
        _, replacement = self._timed.get(id(function), (function, function))
        return replacement

    def _remember(self, original: Any, replacement: Any) -> None:
        original = getattr(original, "__func__", original)
        self._timed[id(original)] = (original, getattr(replacement, "__func__", replacement))

    @contextmanager
    def picklable(self) -> Iterator[None]:
        """Let processes that start meanwhile be sent the callables that are timed here.

        A function is pickled by its name, which now leads to its replacement, and pickle refuses
        a name that leads elsewhere. The receiver looks the name up in its own process.
        """
        targets = self._targets

        def reduce_timed(pickler: Any, value: Any) -> Any:
            target = targets.get(id(value))
            if target is None or target.static_value is value:
                return NotImplemented
            return look_up, (target.dotted_name,)

        absent = vars(ForkingPickler).get("reducer_override", _ABSENT)
        if targets and absent is _ABSENT:
            ForkingPickler.reducer_override = reduce_timed  # type: ignore[method-assign]  # ours while processes start
        try:
            yield
        finally:
            if targets and absent is _ABSENT:
                del ForkingPickler.reducer_override

    def _replace_class(self, target: Target, replacement: Any) -> None:
        """Swap an immutable class (of a C extension) for a subclass with the timed method."""
        original = target.owner
        if original.__module__ == "builtins":
            raise OperationError(
                f"operation {target.dotted_name!r}: Python's own {original.__name__} can't be "
                "changed; time the function that calls it, or use section()"
            )
        try:
            subclass = _stand_in(original, target.attribute, replacement)
        except TypeError as error:
            raise OperationError(
                f"operation {target.dotted_name!r}: {original.__name__} can be neither changed "
                "nor subclassed; time the function that calls it, or use section()"
            ) from error
        if not self._replace_imported_names(original, subclass):
            raise OperationError(
                f"operation {target.dotted_name!r}: no loaded module holds {original.__name__}"
            )

    def _replace_imported_names(self, original: Any, replacement: Any) -> int:
        count = 0
        self._originals[id(replacement)] = (replacement, original)
        for module, attribute, _ in list(_bound_names({id(original)})):
            self.replace(module, attribute, replacement)
            count += 1
        return count


def look_up(dotted_name: str) -> Any:
    """Return what a dotted name leads to in this process."""
    return resolve(dotted_name).static_value


def _bound_names(identities: set[int]) -> Iterator[tuple[Any, str, Any]]:
    """Yield each (module, name, value) of the loaded modules that holds one of these objects."""
    if not identities:
        return
    for module in list(sys.modules.values()):
        namespace = getattr(module, "__dict__", None)
        if not isinstance(namespace, dict):
            continue
        for name, bound in list(namespace.items()):
            if id(bound) in identities:
                yield module, name, bound
