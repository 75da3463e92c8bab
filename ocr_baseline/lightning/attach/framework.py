"""The framework under its two names: `lightning.pytorch`, and `pytorch_lightning` of its own.

Each package has classes of its own. What is replaced, or told by its type, must be of the package
whose Trainer runs.
"""

from __future__ import annotations

import importlib
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

DISTRIBUTIONS = {"lightning.pytorch": "lightning", "pytorch_lightning": "pytorch-lightning"}
"""Each package's distribution, which knows the version."""


def package_of(trainer: Trainer) -> str:
    """Return the package whose Trainer this is, or whose subclass."""
    for base in type(trainer).__mro__:
        for package in DISTRIBUTIONS:
            if base.__module__.startswith(f"{package}."):
                return package
    return "lightning.pytorch"


def class_of(trainer: Trainer, module: str, name: str) -> type | None:
    """Return a class of the trainer's package; None where that version has none of this name."""
    try:
        found = getattr(importlib.import_module(f"{package_of(trainer)}.{module}"), name, None)
    except ImportError:
        return None
    return found if isinstance(found, type) else None


def is_a(value: Any, trainer: Trainer, module: str, name: str) -> bool:
    """Whether a value is of a class of the trainer's package."""
    found = class_of(trainer, module, name)
    return found is not None and isinstance(value, found)


def loaded_classes(module: str, name: str) -> tuple[type, ...]:
    """Return the class of this name in each of the packages that are loaded."""
    modules = (sys.modules.get(f"{package}.{module}") for package in DISTRIBUTIONS)
    found = (getattr(loaded, name, None) for loaded in modules)
    return tuple(each for each in found if isinstance(each, type))


def version_of(trainer: Trainer) -> dict[str, str]:
    """Return the distribution that runs, and its version."""
    distribution = DISTRIBUTIONS[package_of(trainer)]
    try:
        return {distribution: metadata.version(distribution)}
    except metadata.PackageNotFoundError:
        return {}
