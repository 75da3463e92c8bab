"""Where the dotted name of an operation leads to."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from typing import Any

from ocr_baseline.errors import OperationError
from ocr_baseline.measure.import_trial import import_longest_prefix, problem_of
from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.measure.stand_in import original_of
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


def resolve(dotted_name: str, *, is_tried: bool = False) -> Target:
    """Find what a dotted name leads to, importing the modules on its way.

    Args:
        dotted_name: The name.
        is_tried: The name led somewhere in another process of the run, so that its modules are
            known to be imported without harm.

    Raises:
        OperationError: When a part of the name doesn't exist, what it names isn't a function or a
            method, or its module can't be imported without harm.
    """
    parts = dotted_name.split(".")
    owner, depth = _import_longest_prefix(dotted_name, parts, is_tried=is_tried)
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
    _check_is_not_ours(target)
    return target


def _import_longest_prefix(
    dotted_name: str, parts: list[str], *, is_tried: bool
) -> tuple[Any, int]:
    """Return the innermost module of a name, and how many parts of the name lead to it."""
    if len(parts) < 2:
        raise _no_module(dotted_name, parts)
    depth = next((n for n in range(len(parts) - 1, 0, -1) if _loaded(parts[:n])), 0)
    if depth == len(parts) - 1 or (depth and hasattr(_loaded(parts[:depth]), parts[depth])):
        return _loaded(parts[:depth]), depth
    if _may_be_module(parts[: depth + 1]):
        depth = _import(dotted_name, ".".join(parts[:-1]), is_tried=is_tried) or depth
    if depth:
        return _loaded(parts[:depth]), depth
    raise _no_module(dotted_name, parts)


def _no_module(dotted_name: str, parts: list[str]) -> OperationError:
    return OperationError(
        f"operation {dotted_name!r}: there is no module {parts[0]!r} to import; give the full "
        "dotted name, as in 'cv2.findContours', or install the package"
    )


def _loaded(parts: list[str]) -> Any:
    return sys.modules.get(".".join(parts))


def _may_be_module(parts: list[str]) -> bool:
    """Whether there is a module of this name; the packages around it are loaded."""
    try:
        return importlib.util.find_spec(".".join(parts)) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _import(dotted_name: str, prefix: str, *, is_tried: bool) -> int:
    """Import the innermost module of a name, and leave the random numbers as they are.

    Returns:
        How many parts of the name lead to it.

    Raises:
        OperationError: When it can't be imported, or not without harm.
    """
    problem = None if is_tried else problem_of(prefix)
    try:
        if problem is None:
            with unchanged_random_state():
                return import_longest_prefix(prefix)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what a module raises as it is imported
        problem = f"{type(error).__name__}: {error}"
    raise OperationError(
        f"operation {dotted_name!r}: importing its module failed: {problem}; import it before the "
        "training, give another name that leads to the function, or take it out of `operations`"
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


def _check_is_not_ours(target: Target) -> None:
    """Refuse what the measuring itself is made of: it would measure itself without an end."""
    value = original_of(target.static_value)
    if any(value is own for own in vars(builtins).values()):
        raise OperationError(
            f"operation {target.dotted_name!r}: Python's own {target.attribute} is called "
            "everywhere, by the measuring too; name the function that calls it, or use section()"
        )
    owner = getattr(target.owner, "__module__", None) or getattr(target.owner, "__name__", "")
    if str(owner).partition(".")[0] == __name__.partition(".")[0]:
        raise OperationError(
            f"operation {target.dotted_name!r} is a part of the measuring itself; take it out of "
            "`operations`"
        )
