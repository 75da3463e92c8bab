"""The file behind a sample of torchvision's dataset folders, read without calling the dataset."""

from __future__ import annotations

import os
from typing import Any

_FOLDERS = "torchvision.datasets.folder"
_FILES = "samples"


def file_of(dataset: object, index: int) -> str | None:
    """Return the file of a sample, below the dataset's root where it is; None where not certain.

    It is certain where the dataset's `__getitem__` is that of torchvision's `DatasetFolder`, and
    the list that this reads is a plain one of the dataset's own.
    """
    if not _reads_its_own_list(type(dataset)):
        return None
    held = object.__getattribute__(dataset, "__dict__")
    files = held.get(_FILES)
    if type(files) is not list or not 0 <= index < len(files):
        return None
    entry = files[index]
    path = entry[0] if type(entry) is tuple and entry else None
    return _below(held.get("root"), path) if type(path) is str else None


def _reads_its_own_list(kind: type) -> bool:
    getter = _home_of("__getitem__", kind)
    return (
        getter is not None
        and getter.__module__ == _FOLDERS
        and _home_of(_FILES, kind) is None
        and _home_of("__getattribute__", kind) is object
    )


def _home_of(name: str, kind: type) -> type | None:
    """Return the class that a class has a name from, None where it has no such name."""
    bases = type.__dict__["__mro__"].__get__(kind)
    return next((base for base in bases if name in vars(base)), None)


def _below(root: Any, path: str) -> str:
    if type(root) is str and path.startswith(root.rstrip(os.sep) + os.sep):
        return path[len(root.rstrip(os.sep)) + 1 :]
    return os.path.basename(path)  # noqa: PTH119 - a text of the user's: no path is built of it
