"""Where the dotted name of an operation leads to."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

from ocr_baseline.errors import OperationError
from ocr_baseline.measure.timed_calls import is_asynchronous


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


def look_up(dotted_name: str) -> Any:
    """Return what a dotted name leads to in this process."""
    return resolve(dotted_name).static_value
