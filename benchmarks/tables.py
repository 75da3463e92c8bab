"""Tables and goals of the benchmarks, printed in one way so that `make bench` reads as one."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GOALS_FILE = "OCR_BENCHMARK_GOALS"
"""Environment variable: the file for the goals of a benchmark that `python -m benchmarks` runs."""


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table: text columns to the left, the rest to the right."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = zip(cells, widths, strict=True)
        return (
            "| "
            + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])
            + " |"
        )

    print(line(header))
    print(
        "|"
        + "|".join(
            "-" * (width + 1) + ("-" if column == 0 else ":") for column, width in enumerate(widths)
        )
        + "|"
    )
    for row in rows:
        print(line(row))


@dataclass(frozen=True)
class Goal:
    """A figure that should be at most its limit."""

    name: str
    value: float
    limit: float

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its limit."""
        return self.value <= self.limit

    @staticmethod
    def report(*goals: Goal) -> int:
        """Print each goal; return 0 when all are met, else 1."""
        for goal in goals:
            verdict = "met" if goal.is_met else "MISSED"
            print(f"goal: {goal.name}: {goal.value:.3g}, at most {goal.limit:g}: {verdict}")
        if GOALS_FILE in os.environ:
            lines = "".join(f"{json.dumps(asdict(goal))}\n" for goal in goals)
            Path(os.environ[GOALS_FILE]).write_text(lines)
        return 0 if all(goal.is_met for goal in goals) else 1
