"""The recognised values of rows, each with its epoch and step; which of several keys to believe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.sources.logged.keys import FORKS, MetricKey, parse_key
from ocr_baseline.sources.logged.numbers import (
    LARGEST_COUNT,
    LARGEST_FLOATS,
    NotANumber,
    is_reduced_mean,
    read_count,
    read_number,
)

if TYPE_CHECKING:
    from ocr_baseline.sources.logged.keys import KeyParser
    from ocr_baseline.vocabulary import Stage

_EPOCH_KEY = "epoch"
_STEP_KEYS = ("trainer/global_step", "step", "_step")
"""Where loggers put the step, the best first: W&B's `_step` counts log calls."""
_RUNTIME_KEY = "_runtime"
_COUNTS = ("num_batches",)


class LoggedValue(NamedTuple):
    """One value of one row; `at_s` is seconds since the run's start where the row has it.

    A tuple, as there can be a million of them.
    """

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
        places: dict[tuple[str, Stage | None], _Place] = {}
        for key, logged in _known(row, parse):
            number = read_number(logged)
            if number is None:
                continue
            place = places.get((key.prefix, key.stage))
            if place is None:
                place = places[key.prefix, key.stage] = _place(row, key)
            values.append(LoggedValue(key, _checked(key, number), *place))
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
    forks = {(value.key.canonical, value.key.fork) for value in values}
    best: dict[str, str] = {}
    for fork in reversed(FORKS):
        best.update((name, fork) for name, found in forks if found == fork)
    return [value for value in values if value.key.fork == best[value.key.canonical]]


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


def _known(row: Mapping[str, object], parse: KeyParser) -> Iterator[tuple[MetricKey, object]]:
    """Yield the row's recognised keys and what was logged under them, nested ones too."""
    for name, value in row.items():
        key = parse(name)
        if key is not None:
            yield key, value
        elif isinstance(value, dict):
            for member, nested in value.items():
                key = parse(f"{name}/{member}")
                if key is not None:
                    yield key, nested


_Place = tuple["int | None", "int | None", "float | None"]


def epoch_key(stage: Stage) -> str:
    """Return the key of a stage's epoch, in a row that may hold those of several."""
    return f"performance/{stage.metric_prefix}_epoch"


def _place(row: Mapping[str, object], key: MetricKey) -> _Place:
    """Return a row's epoch, its step, and seconds since the run's start, as far as it has them."""
    at_s = read_number(row.get(_RUNTIME_KEY))
    epoch_keys = (epoch_key(key.stage), _EPOCH_KEY) if key.stage else (_EPOCH_KEY,)
    return (
        _coordinate(row, epoch_keys, key.prefix),
        _coordinate(row, _STEP_KEYS, key.prefix),
        at_s if isinstance(at_s, float) else None,
    )


def _checked(key: MetricKey, number: float | NotANumber) -> float | NotANumber:
    if isinstance(number, NotANumber):
        return number
    if number < 0:
        return NotANumber("a negative number")
    if number in LARGEST_FLOATS:
        return NotANumber("Infinity")
    if key.name in _COUNTS and not number.is_integer():
        return NotANumber("a count that is not whole")
    if number > LARGEST_COUNT:
        kind = "count" if key.name in _COUNTS else "number"
        return NotANumber(f"a {kind} beyond all runs")
    return number


def _coordinate(row: Mapping[str, object], names: Sequence[str], prefix: str) -> int | None:
    for name in names:
        for candidate in (name, f"{prefix}-{name}", f"{prefix}/{name}") if prefix else (name,):
            count = read_count(row.get(candidate))
            if count is not None:
                return count
    return None
