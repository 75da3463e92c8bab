"""The machine had other work, so that the run's times may not repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Severity

RULE = "noisy-machine"
BUSY = 0.5
FULL = 1.0


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A value of `environment.volatile` and where it begins to disturb."""

    key: str
    medium: float
    low: float
    subject: str


SIGNALS = (
    Signal(key="cpu_steal_share", low=0.01, medium=0.05, subject="the host gave cores to others"),
    Signal(
        key="cpu_frequency_drop_share",
        low=0.05,
        medium=0.20,
        subject="the processor's clock dropped",
    ),
)
"""Shares that a source may record over the run: of processor time stolen by other guests of the
host, and of the clock frequency between its highest and its lowest sample. The limits are this
project's choice: below the first, the times of a run vary as much without it."""


def noisy_machine(measured: Measured) -> Iterator[Finding]:
    """Find a machine that was busy as the run began, or whose cores were taken away or slowed.

    Load is the 1-minute average at the start against the cores: low at a half, medium from one
    waiting process for each core on, this project's choice. The run's own preparation, as far as
    it fell into that minute, is in it. No saving: it is the trust in the numbers that suffers.
    """
    environment = measured.environment
    cores, load = environment.cpu_count, environment.load_avg_1min
    if cores is not None and load is not None and load / cores >= BUSY:
        yield _finding(
            "medium" if load / cores >= FULL else "low",
            "the machine was busy when the run began",
            [
                Evidence(metric="environment.volatile.load_avg_1min", value=load, unit="processes"),
                Evidence(metric="environment.identity.cpu_count", value=float(cores), unit="count"),
            ],
            "load",
        )
    for signal in SIGNALS:
        value = getattr(environment, signal.key)
        if value is not None and value >= signal.low:
            yield _finding(
                "medium" if value >= signal.medium else "low",
                signal.subject,
                [Evidence(metric=f"environment.volatile.{signal.key}", value=value, unit="share")],
                signal.key,
            )


def _finding(severity: Severity, subject: str, evidence: list[Evidence], name: str) -> Finding:
    return Finding(
        id=f"{RULE}:{name}",
        severity=severity,
        title=f"The times may not repeat: {subject}",
        evidence=evidence,
        advice="Measure again while nothing else runs before comparing with other runs, and "
        "repeat the run to see how far its times spread.",
    )
