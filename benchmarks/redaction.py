"""How often the output gate lets a secret pass, and how often it takes an innocent text for one.

    python benchmarks/redaction.py [--show-open]

The corpus is `redaction_leaks.txt` and `redaction_innocents.txt`. Half of its groups are held out:
their texts are counted and not shown, so that no rule is made for them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Literal
from unittest.mock import patch

from benchmarks.redaction_corpus import Entry, entries
from benchmarks.tables import Goal, print_table
from ocr_baseline.model.privacy import (
    outward,
    outward_text,
    redact,
    redact_arguments,
    refresh_known_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_LEAKS = 5.0
MOST_FALSE_ALARMS = 5.0
"""Per hundred texts, in either half (an own choice)."""


def main() -> int:
    """Count both halves, print the table, and report the goals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--show-open", action="store_true", help="print what the open half missed")
    show = parser.parse_args().show_open
    alarms = count("innocents", _is_changed, show=show)
    leaks = count("leaks", _leaks, show=show)
    rows, goals = [], []
    for half in ("open", "held out"):
        rows.append((half, *_cells(leaks, half), *_cells(alarms, half)))
        goals.append(Goal(f"leaks per hundred, {half}", _rate(leaks, half), MOST_LEAKS))
        goals.append(Goal(f"false alarms, {half}", _rate(alarms, half), MOST_FALSE_ALARMS))
    header = ("half", "leaks", "of", "per hundred", "false alarms", "of", "per hundred")
    print_table(header, rows)
    return Goal.report(*goals)


def count(
    name: Literal["leaks", "innocents"], is_missed: Callable[[Entry], bool], *, show: bool
) -> Counter[tuple[str, bool]]:
    """Return how many texts of each half were missed in any draw, and how many weren't."""
    counted: Counter[tuple[str, bool]] = Counter()
    for draws in entries(name):
        missed = next((entry for entry in draws if is_missed(entry)), None)
        counted[draws[0].half, missed is not None] += 1
        if show and missed is not None and missed.half == "open":
            print(f"{name}: {missed.template}\n    {_shown(missed)}", file=sys.stderr)
    return counted


def _leaks(entry: Entry) -> bool:
    return entry.is_left_in(_shown(entry))


def _is_changed(entry: Entry) -> bool:
    content = entry.content()
    if entry.place == "environment":
        content = f"in {entry.text.partition('=')[2]}, step 3"
    return _shown(entry) != (content if isinstance(content, str) else json.dumps(content))


def _shown(entry: Entry) -> str:
    """Return what an output shows of a text, with no other secret in the environment."""
    content = entry.content()
    with patch.dict(os.environ):
        if entry.place == "environment":
            name, _, value = content.partition("=")
            os.environ[name] = value
            refresh_known_secrets()
            return outward_text(f"in {value}, step 3")
        if entry.place == "config":
            return json.dumps(outward(redact(content)))
        if entry.place == "arguments":
            return json.dumps(outward(redact_arguments(content)))
        refresh_known_secrets()
        return outward_text(content)


def _cells(counted: Counter[tuple[str, bool]], half: str) -> tuple[str, ...]:
    missed, right = counted[half, True], counted[half, False]
    return str(missed), str(missed + right), f"{_rate(counted, half):.1f}"


def _rate(counted: Counter[tuple[str, bool]], half: str) -> float:
    missed, right = counted[half, True], counted[half, False]
    return 100 * missed / max(1, missed + right)


if __name__ == "__main__":
    sys.exit(main())
