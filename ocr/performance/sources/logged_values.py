"""The recognised values of rows, each with its epoch and step; which of several keys to believe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr.performance.sources.metric_keys import FORKS, MetricKey, parse_key
from ocr.performance.sources.metric_values import (
    NotANumber,
    is_reduced_mean,
    read_count,
    read_number,
)

if TYPE_CHECKING:
    from ocr.performance.sources.metric_keys import KeyParser

_EPOCH_KEYS = ("epoch",)
_STEP_KEYS = ("trainer/global_step", "step", "_step")
"""Where loggers put the step, the best first: W&B's `_step` counts log calls."""
_RUNTIME_KEY = "_runtime"
_COUNTS = ("num_batches",)


@dataclass(frozen=True, kw_only=True)
class LoggedValue:
    """One value of one row; `at_s` is seconds since the run's start where the row has it."""

    key: MetricKey
    number: float | NotANumber
    epoch: int | None
    step: int | None
    at_s: float | None


def holds_metric(row: Mapping[str, object], parse: KeyParser = parse_key) -> bool:
    """Say whether the row has a value under any recognised key."""
    return any(
        value is not None and (parse(name) or _has_known_member(name, value, parse))
        for name, value in row.items()
    )


def collect(
    rows: Iterable[Mapping[str, object]], parse: KeyParser = parse_key
) -> list[LoggedValue]:
    """Return every recognised value in the order of the rows; rows are read once."""
    values: list[LoggedValue] = []
    for row in rows:
        for name, value in row.items():
            key = parse(name)
            if key is not None:
                values.extend(_value(key, value, row))
            elif isinstance(value, dict):
                values.extend(_nested_values(name, value, row, parse))
    return values


def one_prefix(values: Sequence[LoggedValue]) -> tuple[list[LoggedValue], list[str]]:
    """Return the values of one logger's prefix, and a warning that names what was left out.

    Keys without a prefix win; else the prefix that most values bear.
    """
    counts = Counter(value.key.prefix for value in values)
    if len(counts) < 2:
        return list(values), []
    chosen = "" if "" in counts else max(sorted(counts), key=lambda prefix: counts[prefix])
    others = ", ".join(repr(prefix) for prefix in sorted(counts) if prefix != chosen)
    warning = f"Keys under the prefix {others} were left out: those under {chosen!r} were read."
    return [value for value in values if value.key.prefix == chosen], [warning]


def best_forks(values: Sequence[LoggedValue]) -> list[LoggedValue]:
    """Return the values without those that Lightning logged again under a lesser fork."""
    best: dict[str, int] = {}
    for value in values:
        rank = FORKS.index(value.key.fork)
        best[value.key.canonical] = min(rank, best.get(value.key.canonical, rank))
    return [value for value in values if FORKS.index(value.key.fork) == best[value.key.canonical]]


def summary_values(
    summary: Mapping[str, object], logged: set[str], parse: KeyParser = parse_key
) -> tuple[list[LoggedValue], list[str]]:
    """Return the summary's values for keys that no row holds, and warnings that say so."""
    candidates = best_forks(one_prefix(collect([summary], parse))[0])
    # The summary's epoch and step are those of its last key, whichever that was.
    values = [
        LoggedValue(key=value.key, number=value.number, epoch=None, step=None, at_s=None)
        for value in candidates
        if value.key.canonical not in logged
    ]
    if not values:
        return [], []
    names = ", ".join(sorted(value.key.canonical for value in values))
    warnings = [f"Read from the run's summary, as no row of its history holds them: {names}."]
    means = sorted(
        name
        for name, value in summary.items()
        if is_reduced_mean(value) and (key := parse(name)) and key.canonical not in logged
    )
    if means:
        warnings.append(f"The summary holds the mean of all epochs for {', '.join(means)}.")
    return values, warnings


def _has_known_member(name: str, value: object, parse: KeyParser) -> bool:
    return isinstance(value, dict) and any(parse(f"{name}/{member}") for member in value)


def _nested_values(
    name: str, nested: Mapping[str, object], row: Mapping[str, object], parse: KeyParser
) -> Iterator[LoggedValue]:
    for member, value in nested.items():
        key = parse(f"{name}/{member}")
        if key is not None:
            yield from _value(key, value, row)


def _value(key: MetricKey, value: object, row: Mapping[str, object]) -> Iterator[LoggedValue]:
    number = read_number(value)
    if number is None:
        return
    at_s = read_number(row.get(_RUNTIME_KEY))
    yield LoggedValue(
        key=key,
        number=_checked(key, number),
        epoch=_coordinate(row, _EPOCH_KEYS, key.prefix),
        step=_coordinate(row, _STEP_KEYS, key.prefix),
        at_s=at_s if isinstance(at_s, float) else None,
    )


def _checked(key: MetricKey, number: float | NotANumber) -> float | NotANumber:
    if isinstance(number, NotANumber):
        return number
    if number < 0:
        return NotANumber("a negative number")
    if key.name in _COUNTS and not number.is_integer():
        return NotANumber("a count that is not whole")
    return number


def _coordinate(row: Mapping[str, object], names: Sequence[str], prefix: str) -> int | None:
    for name in names:
        for candidate in (name, f"{prefix}-{name}", f"{prefix}/{name}") if prefix else (name,):
            count = read_count(row.get(candidate))
            if count is not None:
                return count
    return None
