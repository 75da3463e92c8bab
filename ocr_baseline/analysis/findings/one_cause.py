"""One cause, one finding: what shares seconds is led by the deepest cause; small things are small.

Nothing is taken out of the document: a finding that another one leads says so in `part_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings import catalogue
from ocr_baseline.analysis.findings.kind import LEADS
from ocr_baseline.analysis.findings.saving_range import with_range
from ocr_baseline.model.document import SMALL_SHARE_OF_RUN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Finding

_EXPLAINS = {kind.id: kind["explains"] for kind in catalogue.CATALOGUE if "explains" in kind.limits}
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
    weighed = [_weighed(measured, finding) for finding in ranged]
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


def _weighed(measured: Measured, finding: Finding) -> Finding:
    """Return a finding with its saving's share of the run; what is small has severity low."""
    run_s, saving_s = measured.total_s, finding.estimated_saving_s
    if not run_s:
        return finding
    if saving_s is None:
        about_s = _about_s(measured, finding)
        is_small = about_s is not None and about_s < SMALL_SHARE_OF_RUN * run_s
        return _low(finding) if is_small else finding
    weighed = finding.model_copy(update={"share_of_run": min(saving_s / run_s, 1.0)})
    return _low(weighed) if weighed.is_small else weighed


def _low(finding: Finding) -> Finding:
    return finding if finding.severity == "info" else finding.model_copy(update={"severity": "low"})


def _about_s(measured: Measured, finding: Finding) -> float | None:
    """Return the time of what a finding is about: its lines, else its stage; None of the run."""
    lines = [
        line.total_s
        for phase in measured.whole_phases
        for line in phase.breakdown
        if f"{phase.name}.{line.name}" in finding.lines
    ]
    stages = [
        phase.total_s or 0.0
        for phase in measured.whole_phases
        if phase.name in finding.id.split(":")[1:2]
    ]
    return sum(lines or stages) if lines or stages else None


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
    needed = _EXPLAINS.get(_kind(finding), LEADS)
    explains_little = (finding.estimated_saving_s or 0.0) < needed * largest_s
    is_timed = _kind(finding) in _TIMED
    return explains_little, not is_timed, finding.cause is None, finding.rank


def _shared(one: Finding, other: Finding) -> bool:
    return not set(one.lines).isdisjoint(other.lines)


def _leads(leader: Finding, finding: Finding) -> bool:
    """Whether they share seconds; two functions of one line are two causes."""
    kinds = {_kind(leader), _kind(finding)}
    are_functions = kinds <= {catalogue.DOMINANT_FUNCTION.id, catalogue.COSTLY_STEP_CODE.id}
    return not are_functions and _shared(leader, finding)
