"""Pickles callables by a name that leads to their stand-in for now.

A function is pickled by its name, and pickle refuses a name that leads elsewhere. What is written
instead also leads to it by name, and can be read where this package is not installed.
"""

from __future__ import annotations

import copyreg
import importlib
import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_names: dict[int, tuple[str, str]] = {}
_reducers: dict[type, Callable[[Any], Any] | None] = {}
"""By type, how its objects were pickled before."""


def link(original: Any, module_name: str, attribute: str) -> None:
    """Let `original` be pickled by this name, whatever the name leads to now."""
    _names[id(original)] = (module_name, attribute)
    kind = type(original)
    if kind not in _reducers:
        _reducers[kind] = copyreg.dispatch_table.get(kind)
        copyreg.dispatch_table[kind] = _reduce


def unlink(original: Any) -> None:
    """The name leads to `original` again."""
    _names.pop(id(original), None)
    if _names:
        return
    for kind, before in _reducers.items():
        if copyreg.dispatch_table.get(kind) is _reduce:
            del copyreg.dispatch_table[kind]
            if before is not None:
                copyreg.dispatch_table[kind] = before
    _reducers.clear()


def reduced(original: Any, protocol: int) -> Any:
    """Return how `original` is pickled through something that stands in for it."""
    if id(original) in _names:
        return _reduce(original)
    before = copyreg.dispatch_table.get(type(original))
    found = original.__reduce_ex__(protocol) if before is None else before(original)
    return _by_name(original.__module__, found, original) if isinstance(found, str) else found


def _reduce(original: Any) -> Any:
    name = _names.get(id(original))
    if name is not None:
        return _by_name(*name, original)
    before = _reducers.get(type(original))
    return original.__reduce_ex__(_PROTOCOL) if before is None else before(original)


_PROTOCOL = 4


def _by_name(module_name: str, attribute: str, original: Any) -> Any:
    return operator.attrgetter(attribute), (_Module(module_name, original),)


class _Module:
    """Pickled as the import of a module; copied, it gives the original by any name."""

    def __init__(self, name: str, original: Any) -> None:
        self._name = name
        self._original = original

    def __reduce__(self) -> Any:
        return importlib.import_module, (self._name,)

    def __getattr__(self, name: str) -> Any:
        return self._original
