"""Times callables by their dotted name, without a change to the code that calls them.

A timed callable is replaced where it is defined and in every loaded module that imported it by
name; `Instrumentation.undo` puts everything back.
"""

from __future__ import annotations

import functools
import inspect
import sys
from contextlib import contextmanager, suppress
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import OperationError
from ocr_baseline.measure.operation_names import look_up
from ocr_baseline.measure.stand_in import stand_in
from ocr_baseline.measure.timed_calls import run_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ocr_baseline.measure.operation_names import Target

# The objects wrapped here are whatever the user named: only `Any` describes them.
_ABSENT = object()


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


class Instrumentation:
    """The replacements of a run; a stack that `undo` empties from the top."""

    def __init__(self) -> None:
        """Begin with nothing replaced."""
        self._undo: list[Callable[[], None]] = []
        self._originals: dict[int, tuple[Any, Any]] = {}
        self._targets: dict[int, Target] = {}
        self._timed: dict[int, tuple[Any, Any]] = {}

    def time(self, *timed: tuple[Target, AbstractContextManager[None]]) -> None:
        """Run every call of each target inside its context from now on.

        To give all at once costs one look through the loaded modules, some ten milliseconds.

        Raises:
            OperationError: When neither an attribute nor its class can be replaced.
        """
        imported: dict[int, tuple[Any, Any]] = {}
        in_modules: list[tuple[Target, Any]] = []
        fixed: dict[int, list[tuple[Target, Any]]] = {}
        for target, context in timed:
            original = target.static_value
            replacement = wrap_callable(self.timed(original), context)
            self._remember(original, replacement)
            if inspect.ismodule(target.owner):
                imported[id(original)] = (original, replacement)
                in_modules.append((target, original))
                continue
            try:
                self.replace(target.owner, target.attribute, replacement)
            except (TypeError, AttributeError):
                fixed.setdefault(id(target.owner), []).append((target, replacement))
        for target, original in in_modules:
            self._targets[id(original)] = target
            self.replace(target.owner, target.attribute, imported[id(original)][1])
        imported |= {key: _class_stand_in(methods) for key, methods in fixed.items()}
        replaced = self._replace_imported(imported)
        for key, [(target, _), *_] in fixed.items():
            if key not in replaced:
                raise OperationError(
                    f"operation {target.dotted_name!r}: no loaded module holds "
                    f"{target.owner.__name__}"
                )

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

    def _remember(self, original: Any, replacement: Any) -> None:
        original = getattr(original, "__func__", original)
        self._timed[id(original)] = (original, getattr(replacement, "__func__", replacement))

    def _replace_imported(self, imported: dict[int, tuple[Any, Any]]) -> set[int]:
        """Replace what loaded modules hold; return the keys of what any of them held."""
        for original, replacement in imported.values():
            self._originals[id(replacement)] = (replacement, original)
        found = set()
        for module, attribute, value in list(_bound_names(set(imported))):
            _, replacement = imported[id(value)]
            self.replace(module, attribute, replacement)
            found.add(id(value))
        return found


def _class_stand_in(methods: list[tuple[Target, Any]]) -> tuple[Any, Any]:
    """Return an immutable class (of a C extension), and one with the timed methods for it.

    Raises:
        OperationError: When there can be none.
    """
    target, _ = methods[0]
    original = target.owner
    if original.__module__ == "builtins":
        raise OperationError(
            f"operation {target.dotted_name!r}: Python's own {original.__name__} can't be "
            "changed; time the function that calls it, or use section()"
        )
    try:
        return original, stand_in(original, {one.attribute: timed for one, timed in methods})
    except TypeError as error:
        raise OperationError(
            f"operation {target.dotted_name!r}: {original.__name__} can be neither changed "
            "nor subclassed; time the function that calls it, or use section()"
        ) from error


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
