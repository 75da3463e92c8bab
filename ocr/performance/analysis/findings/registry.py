"""The rules in force, and their order in the report: what saves most comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr.performance.analysis.findings.dominant_operation import dominant_operation
from ocr.performance.analysis.findings.input_bound import input_bound
from ocr.performance.analysis.findings.rule import Rule, Silence
from ocr.performance.analysis.findings.validation_slower import validation_slower

if TYPE_CHECKING:
    from ocr.performance.analysis.measured import Measured
    from ocr.performance.baseline import Finding

RULES: tuple[Rule, ...] = (
    validation_slower,
    dominant_operation,
    input_bound,
)

_SEVERITY_ORDER = {"high": 0, "medium": 1, "low": 2, "info": 3}


@dataclass(frozen=True)
class Found:
    """What the rules found, ranked, and which could not judge."""

    findings: list[Finding]
    silent: list[str]


def find(measured: Measured) -> Found:
    """Run every rule; rank by what removing the cause would save, then by severity."""
    findings: list[Finding] = []
    silent: list[str] = []
    for rule in RULES:
        for outcome in rule(measured):
            if isinstance(outcome, Silence):
                silent.append(f"{outcome.rule}: not judged, {outcome.reason}")
            else:
                findings.append(outcome)
    return Found(findings=sorted(findings, key=_rank), silent=silent)


def _rank(finding: Finding) -> tuple[float, int, str]:
    saving_s = finding.estimated_saving_s
    return (-(saving_s or 0.0), _SEVERITY_ORDER[finding.severity], finding.id)
