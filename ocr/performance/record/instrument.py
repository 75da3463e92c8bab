"""Times callables by their dotted name, without a change to the code that calls them.

A timed callable is replaced where it is defined and in every loaded module that imported it by
name; `Instrumentation.undo` puts everything back.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ocr.performance.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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
        except ImportError as error:
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


def wrap_callable(value: Any, context: AbstractContextManager[None]) -> Any:
    """Return `value` wrapped so that every call runs inside `context`."""
    if isinstance(value, staticmethod):
        return staticmethod(wrap_callable(value.__func__, context))
    if isinstance(value, classmethod):
        return classmethod(wrap_callable(value.__func__, context))

    @functools.wraps(value)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with context:
            return value(*args, **kwargs)

    return timed


class Instrumentation:
    """The replacements of a run; a stack that `undo` empties from the top."""

    def __init__(self) -> None:
        """Begin with nothing replaced."""
        self._undo: list[Callable[[], None]] = []

    def time(self, target: Target, context: AbstractContextManager[None]) -> None:
        """Run every call of `target` inside `context` from now on.

        Raises:
            OperationError: When neither the attribute nor its class can be replaced.
        """
        original = target.static_value
        replacement = wrap_callable(original, context)
        try:
            self.replace(target.owner, target.attribute, replacement)
        except (TypeError, AttributeError):
            self._replace_class(target, replacement)
            return
        if inspect.ismodule(target.owner):
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
        """Put everything back, the last replacement first."""
        while self._undo:
            self._undo.pop()()

    def _replace_class(self, target: Target, replacement: Any) -> None:
        """Swap an immutable class (of a C extension) for a subclass with the timed method."""
        original = target.owner
        try:
            subclass = type(
                original.__name__,
                (original,),
                {
                    target.attribute: replacement,
                    "__module__": original.__module__,
                    "__qualname__": original.__qualname__,
                    "__doc__": original.__doc__,
                },
            )
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
        for module, attribute in list(_names_bound_to(original)):
            self.replace(module, attribute, replacement)
            count += 1
        return count


def _names_bound_to(value: Any) -> Iterable[tuple[Any, str]]:
    """Yield each (module, name) of the loaded modules that holds exactly this object."""
    for module in list(sys.modules.values()):
        namespace = getattr(module, "__dict__", None)
        if not isinstance(namespace, dict):
            continue
        for name, bound in list(namespace.items()):
            if bound is value:
                yield module, name
