"""The gate: what a check expects of each metric and budget, what it found, and the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ocr_baseline.comparison.budgets import BudgetResult
    from ocr_baseline.comparison.comparison import Comparison, MetricComparison

State = Literal["pass", "fail", "warn", "unsettled"]
EXIT_PASS = 0
EXIT_REGRESSION = 1
EXIT_UNSETTLED = 3


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
