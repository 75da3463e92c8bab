"""One cause, one finding: what shares seconds is led by the deepest cause; small things are small.

Nothing is taken out of the document: a finding that another one leads says so in `part_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings import catalogue
from ocr_baseline.analysis.findings.saving_range import with_range

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Finding

_EXPLAINS = 0.5
_EXPLAINS_BY_KIND = {
    catalogue.GARBAGE_COLLECTION.id: catalogue.EXPLAINED,
    catalogue.RESTARTED_WORKERS.id: 0.25,
}
"""The part of the largest saving among findings on the same seconds that a leading one needs.

Garbage is mostly made by what else the seconds hold, so it has to be nearly all of them. A setting
that ends the starts of all passes but the first leads them however long the first took.
"""

_TIMED = (
    catalogue.WORKER_OPERATION.id,
    catalogue.DOMINANT_OPERATION.id,
    catalogue.GARBAGE_COLLECTION.id,
    catalogue.RESTARTED_WORKERS.id,
    catalogue.THREAD_OVERSUBSCRIPTION.id,
)
_MAY_BE_LOAD = (
    catalogue.TAIL_LATENCY.id,
    catalogue.OUTLIER_BATCHES.id,
    catalogue.SLOWING_DOWN.id,
)
_BUSY = "the machine had other work or held the run back, which makes single batches slow too"


def one_cause_each(measured: Measured, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with what leads them, what they are of the run, and doubts; ranked."""
    found = list(findings)
    is_busy = any(finding.limits_trust for finding in found)
    ranged = [with_range(measured, finding, is_busy=is_busy) for finding in found]
    weighed = [_weighed(finding, measured.total_s) for finding in ranged]
    weighed = _with_doubts(weighed) if is_busy else weighed
    leaders: list[Finding] = []
    led: list[Finding] = []
    for finding in sorted(weighed, key=lambda finding: _depth(finding, weighed)):
        leader = next((one for one in leaders if _leads(one, finding)), None)
        if leader is None:
            leaders.append(finding)
            led.append(finding)
        else:
            led.append(finding.model_copy(update={"part_of": leader.id}))
    return sorted(led, key=lambda finding: finding.rank)


def _weighed(finding: Finding, run_s: float) -> Finding:
    if finding.estimated_saving_s is None or not run_s:
        return finding
    share = min(finding.estimated_saving_s / run_s, 1.0)
    weighed = finding.model_copy(update={"share_of_run": share})
    if weighed.is_small and weighed.severity != "info":
        return weighed.model_copy(update={"severity": "low"})
    return weighed


def _with_doubts(findings: list[Finding]) -> list[Finding]:
    return [
        finding.model_copy(update={"doubt": _BUSY}) if _kind(finding) in _MAY_BE_LOAD else finding
        for finding in findings
    ]


def _kind(finding: Finding) -> str:
    return finding.id.partition(":")[0]


def _depth(finding: Finding, among: Iterable[Finding]) -> tuple[object, ...]:
    """Sort what was timed by name first, then what sampling names, then the rest.

    What explains little of the seconds that it shares comes after all of them.
    """
    largest_s = max(
        (one.estimated_saving_s or 0.0 for one in among if _shared(one, finding)), default=0.0
    )
    needed = _EXPLAINS_BY_KIND.get(_kind(finding), _EXPLAINS)
    explains_little = (finding.estimated_saving_s or 0.0) < needed * largest_s
    is_timed = _kind(finding) in _TIMED
    return explains_little, not is_timed, finding.cause is None, finding.rank


def _shared(one: Finding, other: Finding) -> bool:
    return not set(one.lines).isdisjoint(other.lines)


def _leads(leader: Finding, finding: Finding) -> bool:
    """Whether they share seconds; two functions of one line are two causes."""
    kinds = {_kind(leader), _kind(finding)}
    are_functions = kinds == {catalogue.DOMINANT_FUNCTION.id}
    return not are_functions and _shared(leader, finding)
