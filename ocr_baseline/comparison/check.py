"""The gate: gated metrics and budgets, what was found of each, and the outcome.

Budgets are absolute limits on a run's numbers, read from TOML:

```toml
[validation_over_training]
max = 2

[train.throughput]
min = "50 samples/s"

[train.data_wait]
max = "10%"
level = "warn"
```
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, get_args

from ocr_baseline.comparison.metrics import BY_KEY, Metric
from ocr_baseline.comparison.options import parse_quantity
from ocr_baseline.comparison.summary import first_reason
from ocr_baseline.errors import ComparisonError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from ocr_baseline.comparison.comparison import Comparison, MetricComparison
    from ocr_baseline.comparison.summary import RunSummary


State = Literal["pass", "fail", "warn", "unsettled"]
EXIT_PASS = 0
EXIT_REGRESSION = 1
EXIT_UNSETTLED = 3
Level = Literal["error", "warn", "off"]
_LEVELS: dict[str, Level] = {level: level for level in get_args(Level)}
_FIELDS = frozenset({"max", "min", "level"})


@dataclass(frozen=True, kw_only=True)
class Check:
    """The gated metrics of a comparison (none without a baseline) and the budgets."""

    comparison: Comparison | None
    budgets: tuple[BudgetResult, ...] = ()

    @property
    def gated(self) -> tuple[MetricComparison, ...]:
        """The metrics that can fail the check."""
        if self.comparison is None:
            return ()
        return tuple(metric for metric in self.comparison.metrics if metric.metric.is_gated)

    @property
    def states(self) -> tuple[State, ...]:
        """The state of every assertion: the gated metrics, then the budgets."""
        return (*map(metric_state, self.gated), *map(budget_state, self.budgets))

    @property
    def is_settled(self) -> bool:
        """Whether there was something to check and every assertion came to an end."""
        return bool(self.states) and "unsettled" not in self.states

    def exit_status(self, *, strict: bool) -> int:
        """Return 1 for a confirmed regression or a broken budget, 3 when strict and unsettled."""
        if "fail" in self.states:
            return EXIT_REGRESSION
        return EXIT_UNSETTLED if strict and not self.is_settled else EXIT_PASS


def metric_state(compared: MetricComparison) -> State:
    """Return what a gated metric means for the check."""
    if compared.verdict == "regression":
        return "fail"
    if not compared.judgement.is_settled:
        return "unsettled"
    return "warn" if compared.verdict == "suspected" and _is_worse(compared) else "pass"


def budget_state(result: BudgetResult) -> State:
    """Return what a budget means for the check; one that only warns never fails it."""
    if result.is_met is None:
        return "unsettled" if result.budget.level == "error" else "warn"
    if result.is_met:
        return "pass"
    return "fail" if result.budget.level == "error" else "warn"


def count_states(states: Sequence[State], state: State) -> int:
    """Return how many assertions are in a state."""
    return sum(found == state for found in states)


def _is_worse(compared: MetricComparison) -> bool:
    change = compared.change or 0.0
    return change > 0 if compared.metric.better == "lower" else change < 0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits of one metric, in its unit, and what breaking them means."""

    metric: Metric
    max: float | None = None
    min: float | None = None
    level: Level = "error"


@dataclass(frozen=True, kw_only=True)
class BudgetResult:
    """What a budget found: `value` is the median of the runs, None when none measured it."""

    budget: Budget
    value: float | None
    values: tuple[float, ...]
    reason: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the value is within the limits; None when there is no value."""
        if self.value is None:
            return None
        limits = self.budget
        return (limits.max is None or self.value <= limits.max) and (
            limits.min is None or self.value >= limits.min
        )


def parse_budgets(text: str, place: str) -> list[Budget]:
    """Return the budgets of a TOML text; `place` is where the text came from.

    Raises:
        ComparisonError: When it isn't TOML, or names an unknown metric, unit or level.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ComparisonError(f"{place} is not TOML: {error}") from error
    budgets = [_budget(key, entry, place) for key, entry in _entries(document, "", place)]
    if not budgets:
        raise ComparisonError(f"{place} holds no budget")
    return budgets


def check_budgets(budgets: Sequence[Budget], runs: Sequence[RunSummary]) -> list[BudgetResult]:
    """Return what each budget found in the runs, those that are off left out."""
    return [_result(budget, runs) for budget in budgets if budget.level != "off"]


def _result(budget: Budget, runs: Sequence[RunSummary]) -> BudgetResult:
    key = budget.metric.key
    values = tuple(run.values[key] for run in runs if key in run.values)
    if not values:
        reason = first_reason(budget.metric, runs) or ""
        return BudgetResult(budget=budget, value=None, values=(), reason=reason)
    return BudgetResult(budget=budget, value=statistics.median(values), values=values)


def _entries(
    table: Mapping[str, object], prefix: str, place: str
) -> Iterator[tuple[str, Mapping[str, object]]]:
    for name, entry in table.items():
        key = f"{prefix}{name}"
        if not isinstance(entry, Mapping):
            raise ComparisonError(f"{place}: {key} is {entry!r}, not a table with max or min")
        if _FIELDS.isdisjoint(entry) and entry:
            yield from _entries(entry, f"{key}.", place)
        else:
            yield key, entry


def _budget(key: str, entry: Mapping[str, object], place: str) -> Budget:
    metric = BY_KEY.get(key)
    if metric is None:
        close = get_close_matches(key, BY_KEY, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(BY_KEY)}"
        raise ComparisonError(f"{place}: there is no metric {key!r}; {hint}")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise ComparisonError(f"{place}: {key} has an unknown entry {unknown[0]!r}")
    level = _LEVELS.get(str(entry.get("level", "error")))
    if level is None:
        raise ComparisonError(
            f"{place}: {key} has level {entry['level']!r}; known are {', '.join(_LEVELS)}"
        )
    limits = {side: _limit(metric, entry.get(side), f"{place}: {key}") for side in ("max", "min")}
    if limits["max"] is None and limits["min"] is None:
        raise ComparisonError(f"{place}: {key} has neither max nor min")
    return Budget(metric=metric, max=limits["max"], min=limits["min"], level=level)


def _limit(metric: Metric, value: object, place: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ComparisonError(f'{place}: {value!r} is not a limit; write for example "2 s" or 0.1')
    try:
        quantity = parse_quantity(str(value))
    except ComparisonError as error:
        raise ComparisonError(f"{place}: {error}") from error
    if quantity.unit and quantity.unit != metric.unit:
        raise ComparisonError(f"{place} is measured in {metric.unit}, the limit is {value!r}")
    return quantity.value
