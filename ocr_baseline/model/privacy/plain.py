"""What a value in a configuration is, told without running any code of the user's.

A container may load, draw or count as it is read, and the text of an object may be anything. So a
subclass of Python's own containers, numbers and texts is read by its base's own methods, an object
with declared fields by what it holds, and every other object is told by its class.
"""

from __future__ import annotations

import argparse
import datetime
import decimal
import fractions
import functools
import sys
import types
import uuid
from collections import deque
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Entries:
    """A mapping: how many entries it has, and they."""

    size: int
    pairs: Iterator[tuple[object, object]]


@dataclass(frozen=True)
class Items:
    """A list of any kind: how long it is, and what is in it."""

    size: int
    values: Iterator[object]


@dataclass(frozen=True)
class Name:
    """Stands for a function, a class or an object, which has no other text."""

    text: str


Scalar: TypeAlias = "bool | int | float | str | None"

_LISTS: tuple[Any, ...] = (list, tuple, set, frozenset, deque)
_SPACES = (argparse.Namespace, types.SimpleNamespace)
_FIELDS = ("__dataclass_fields__", "__pydantic_fields__", "__fields__", "__attrs_attrs__")
"""What dataclasses, pydantic (2 and 1) and attrs put into a class; the values are plain members."""
_NAMED = (types.FunctionType, types.BuiltinFunctionType, type)
_WITH_TEXT = (
    *(bytes, bytearray, complex, range, type(...)),
    *(datetime.date, datetime.timedelta, uuid.UUID, decimal.Decimal, fractions.Fraction),
)
_TORCH_WITH_TEXT = frozenset({"dtype", "device", "memory_format", "layout", "qscheme"})


def containers(value: object) -> Entries | Items | None:
    """Return what a container holds; None for anything else."""
    value = unresolved(value)
    kind = type(value)
    if issubclass(kind, dict):
        return _entries(value)
    for base in _LISTS:
        if issubclass(kind, base):
            return Items(base.__len__(value), base.__iter__(value))
    if kind is functools.partial:
        parts: Any = value
        return _entries({"func": parts.func, "args": parts.args, "keywords": parts.keywords})
    if issubclass(kind, _SPACES) or any(_is_member(kind, name) for name in _FIELDS):
        return _entries(_members(value))
    return None


def scalar(value: object) -> Scalar | Name:
    """Return a number, a truth value or a text; the name of anything that is none."""
    kind = type(value)
    if value is None or kind is bool:
        return value  # type: ignore[return-value]  # it is one
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int):
        return int.__index__(value)  # type: ignore[arg-type]  # it is one
    if issubclass(kind, float):
        return float.__float__(value)  # type: ignore[arg-type]  # it is one
    if issubclass(kind, Enum):
        return Name(f"{_dotted(kind)}.{_members(value).get('_name_')}")
    if issubclass(kind, PurePath):
        return PurePath.__str__(value)
    if kind in _WITH_TEXT or (kind is datetime.datetime and _has_plain_zone(value)):
        return str(value)
    if issubclass(kind, _NAMED):
        return Name(_dotted(value))
    if kind is types.MethodType:
        return Name(_dotted(value.__func__))  # type: ignore[attr-defined]  # it is one
    return _of_library(value, kind)


def key_text(key: object) -> str:
    """Return the text of a mapping's key."""
    told = scalar(key)
    if isinstance(told, Name) and type(key) is tuple and all(map(_is_plain, key)):
        return str(key)
    return told.text if isinstance(told, Name) else str(told)


def unresolved(value: Any) -> Any:
    """Return a container of OmegaConf's as plain ones, anything else as it is.

    Its interpolations are text there: a resolver is code of the user's too.
    """
    omegaconf = sys.modules.get("omegaconf")  # where it isn't loaded, none of its can be here
    if omegaconf is None or not issubclass(type(value), omegaconf.Container):
        return value
    return omegaconf.OmegaConf.to_container(value, resolve=False)


def _entries(mapping: Any) -> Entries:
    return Entries(dict.__len__(mapping), iter(dict.items(mapping)))


def _members(value: object) -> dict[str, object]:
    """Return what an object holds, past any attribute access that its class has of its own."""
    try:
        members = object.__getattribute__(value, "__dict__")
    except AttributeError:  # it has slots instead
        return {}
    return members if type(members) is dict else {}


def _is_member(kind: type, name: str) -> bool:
    return any(name in type.__getattribute__(base, "__dict__") for base in type.mro(kind))


def _of_library(value: Any, kind: type) -> Scalar | Name:
    """Return what NumPy and torch have a text for that tells all of it and touches no device."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(kind, numpy.generic):
        held = numpy.generic.item(value)
        return scalar(held) if type(held) is not kind else Name(_instance_of(kind))
    if type.__getattribute__(kind, "__module__") == "torch" and kind.__name__ in _TORCH_WITH_TEXT:
        return str(value)
    return Name(_instance_of(kind))


def _instance_of(kind: type) -> str:
    return f"<{_dotted(kind)} object>"


def _dotted(named: Any) -> str:
    """Return a function's or a class's dotted name."""
    read = type.__getattribute__ if isinstance(named, type) else object.__getattribute__
    return f"{read(named, '__module__')}.{read(named, '__qualname__')}"


def _is_plain(value: object) -> bool:
    return value is None or type(value) in {bool, int, float, str}


def _has_plain_zone(moment: Any) -> bool:
    return moment.tzinfo is None or type(moment.tzinfo) is datetime.timezone
