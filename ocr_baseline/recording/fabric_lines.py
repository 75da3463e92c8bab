"""The lines that Lightning Fabric's own calls tell, in a loop that names none itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ocr_baseline.measure.operation_names import Target
from ocr_baseline.recording.main_thread_span import MainThreadSpan
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from ocr_baseline.measure.recorder import Recorder

PACKAGES = {"lightning.fabric": "lightning", "lightning_fabric": "lightning-fabric"}
"""Fabric's two packages, each with its distribution."""

_CALLS = (
    ("utilities.apply_func", "move_data_to_device", Line.TRANSFER),
    ("wrappers", "_FabricModule.forward", Line.FORWARD),
    ("fabric", "Fabric.backward", Line.BACKWARD),
    ("wrappers", "_FabricOptimizer.step", Line.OPTIMIZER),
    ("fabric", "Fabric.log_dict", Line.LOGGING),
    ("fabric", "Fabric.save", Line.CHECKPOINT),
)
"""Module, function or method, and its line; a Fabric that names one otherwise leaves it untimed."""


def loaded_packages() -> list[str]:
    """Return those of Fabric's packages that are loaded."""
    return [package for package in PACKAGES if package in sys.modules]


def timed_calls(recorder: Recorder) -> Iterator[tuple[Target, AbstractContextManager[Any]]]:
    """Yield what to time of the packages that are loaded, for `Instrumentation.time`."""
    for package in loaded_packages():
        for module, name, line in _CALLS:
            owner: Any = sys.modules.get(f"{package}.{module}")
            *inside, attribute = name.split(".")
            for part in inside:
                owner = getattr(owner, part, None)
            if hasattr(owner, attribute):
                target = Target(dotted_name=name, owner=owner, attribute=attribute)
                yield target, MainThreadSpan(recorder, line)


def loader_inside(loader: Any) -> Any:
    """Return the loader that one of Fabric's holds, any other as it is."""
    if type(loader).__module__ not in {f"{package}.wrappers" for package in PACKAGES}:
        return loader
    held = getattr(loader, "__dict__", {}).get("_dataloader")
    return loader if held is None else held
