"""Stand-ins for what can't be timed where it is: C functions, callable objects, C classes.

What is stood in for is whatever the user named: only `Any` describes it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ocr_baseline.measure.pickling import reduced
from ocr_baseline.measure.traced_code import INLINE, show_stand_in

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class TimedObject:
    """Stands in for a callable: each object is the only one of a class of its own.

    Attributes are read, set and deleted at the original, it is equal to the original, its class is
    the original's, and copies and pickles are those of the original.
    """

    __slots__ = ("__weakref__",)
    _ocr_baseline_original: Any = None

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__
        return own(self, name) if name in _OWN else getattr(original_of(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(original_of(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(original_of(self), name)

    def __dir__(self) -> list[str]:
        return dir(original_of(self))

    def __repr__(self) -> str:
        return repr(original_of(self))

    def __eq__(self, other: object) -> bool:
        return bool(original_of(self) == original_of(other))

    def __hash__(self) -> int:
        return hash(original_of(self))

    def __copy__(self) -> Any:
        return copy.copy(original_of(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(original_of(self), memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return reduced(original_of(self), protocol)


_OWN = frozenset({"__copy__", "__deepcopy__", "__reduce_ex__", INLINE})
"""What is looked up on an object and must not be the original's."""


def original_of(value: Any) -> Any:
    """Return what a stand-in stands for; anything else as it is."""
    kind = type(value)
    return kind._ocr_baseline_original[0] if issubclass(kind, TimedObject) else value


def timed_object(original: Any, context: AbstractContextManager[Any]) -> Any:
    """Return what stands in for a callable and runs its calls inside `context`."""

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        with context:
            return original(*args, **kwargs)

    members: dict[str, Any] = {
        "__slots__": (),
        "__call__": call,
        "_ocr_baseline_original": (original,),
        INLINE: original,
    }
    if hasattr(type(original), "__get__"):  # as a method of the objects whose class holds it

        def get(self: Any, instance: Any, owner: Any = None) -> Any:
            bound = original.__get__(instance, owner)
            return self if bound is original else timed_object(bound, context)

        members["__get__"] = get
    stand_in = type(type(original).__name__, (TimedObject,), members)()
    show_stand_in(stand_in, original)
    return stand_in


def timed_class(original: Any) -> Any:
    """Return a subclass that passes for a class of C, which can't be changed itself.

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
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
    }
    subclass = StandIn(original.__name__, (original,), namespace)
    return subclass
