"""What a part of `benchmarks/gpu.py` found, as a file between its process and the one that asks."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.tables import Goal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(kw_only=True)
class Result:
    """A table, the goals that it is held against, and sentences beside it."""

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def read(path: Path) -> Result:
        """Read what `write` wrote."""
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        goals = [Goal(**goal) for goal in found.pop("goals")]
        return Result(goals=goals, **found)
