"""Compares what a report says with what is true of its run."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocr_baseline.layout import JSON_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(kw_only=True)
class Checked:
    """What came of one report."""

    false: list[str] = field(default_factory=list)
    checked: int = 0
    unmeasured: int = 0


def check_report(folder: Path, truths: Mapping[str, Any]) -> Checked:
    """Compare the report in a folder; one that isn't there has measured nothing."""
    result = Checked()
    file = folder / JSON_NAME
    is_there = os.path.isfile(file)  # noqa: PTH113 - `is_file` raises for a path too long
    document = json.loads(file.read_text()) if is_there else {}
    for name, true in truths.items():
        said = value_of(document, name)
        result.checked += 1
        if said is None:
            result.unmeasured += true is not None
        elif not _is_true(said, true):
            result.false.append(f"{name}: the report says {said}, true is {true}")
    return result


def _is_true(said: Any, true: Any) -> bool:
    if isinstance(true, list | tuple):
        low, high = true
        return bool(low <= said <= high)
    return bool(said == true)


def value_of(document: Mapping[str, Any], name: str) -> Any:
    """Return a value of a document, None where it isn't there.

    Names are `run.status`, `train.samples` (of a phase), `train.forward_s` (of a line of its
    breakdown) and `calls of NAME` (of an operation).
    """
    if name.startswith("calls of "):
        wanted = name.removeprefix("calls of ")
        calls = [o["calls"] for o in document.get("operations", []) if o["name"] == wanted]
        return sum(calls) if calls else None
    owner, _, attribute = name.partition(".")
    if owner == "run":
        return document.get("run", {}).get(attribute)
    phases = document.get("phases", [])
    phase = next((p for p in phases if p["name"] == owner and p["dataloader"] is None), None)
    if phase is None or attribute in phase:
        return phase and phase[attribute]
    lines = {line["name"]: line["total_s"] for line in phase["breakdown"]}
    return lines.get(attribute.removesuffix("_s"))
