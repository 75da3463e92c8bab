"""Values as the W&B client keeps them: its nested summary, and rows that are not on disk yet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ocr_baseline.sources.logged.numbers import NotANumber, is_reduced_mean
from ocr_baseline.sources.logged.values import collect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ocr_baseline.sources.logged.keys import KeyParser
    from ocr_baseline.sources.logged.values import LoggedValue


def plain_summary(summary: Any) -> dict[str, object]:
    """Return a live run's `summary` as plain mappings; the client wraps what is nested in it."""
    return {
        str(name): plain_summary(value) if hasattr(value, "keys") else value
        for name, value in ((name, summary[name]) for name in summary.keys())  # noqa: SIM118
    }


def unwritten_row(
    rows: Sequence[Mapping[str, object]], summary: Mapping[str, object], parse: KeyParser
) -> dict[str, object]:
    """Return, as one row without coordinates, what the summary holds beyond the rows.

    The client writes its file with a delay, but its summary is current: a value that differs from
    its key's last row was logged since. The other values of that stage and dataloader belong to
    the same epoch, unless their rows had been written already.
    """
    written = collect(rows, parse)
    last = {value.key.canonical: value for value in written}
    times_written = Counter(value.key.canonical for value in written)
    lasting = {name: value for name, value in summary.items() if not is_reduced_mean(value)}
    current = collect([lasting], parse)
    newer_in: dict[object, int] = {}
    for value in current:
        name = value.key.canonical
        if name not in last or last[name].number != value.number:
            group = _group(value)
            newer_in[group] = max(newer_in.get(group, 0), times_written[name])
    return {
        value.key.canonical: _number(value)
        for value in current
        if times_written[value.key.canonical] <= newer_in.get(_group(value), -1)
    }


def _group(value: LoggedValue) -> object:
    return "memory" if value.key.is_memory else (value.key.stage, value.key.dataloader_idx)


def _number(value: LoggedValue) -> float:
    return float("nan") if isinstance(value.number, NotANumber) else value.number
