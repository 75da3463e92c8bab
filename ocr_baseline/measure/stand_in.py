"""Subclasses that pass for the class that they stand in for.

The classes of C extensions can't be changed; a subclass with other methods can take their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def stand_in(original: Any, methods: Mapping[str, Any]) -> Any:
    """Return a subclass with other methods that passes for the class in `isinstance`.

    Raises:
        TypeError: When the class can't be subclassed.
    """

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
        **methods,
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
    }
    subclass = StandIn(original.__name__, (original,), namespace)
    return subclass
