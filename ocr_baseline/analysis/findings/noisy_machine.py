"""The machine had other work, so that the run's times may not repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import NOISY_MACHINE
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Severity


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A value of `environment.volatile` and where it begins to disturb."""

    key: str
    medium: float
    low: float
    subject: str


SIGNALS = (
    Signal(
        key="cpu_steal_share",
        low=NOISY_MACHINE["steal_low"],
        medium=NOISY_MACHINE["steal_medium"],
        subject="the host gave cores to other guests",
    ),
    Signal(
        key="cpu_frequency_drop_share",
        low=NOISY_MACHINE["drop_low"],
        medium=NOISY_MACHINE["drop_medium"],
        subject="the processor's clock dropped",
    ),
)
"""Shares that a source may record over the run: of processor time stolen by other guests of the
host, and of the clock frequency between its highest and its lowest sample. Below the low limits,
the times of a run vary as much without them."""


def noisy_machine(measured: Measured) -> Iterator[Finding]:
    """Find a machine that was busy when the run began, or whose cores were taken away or slowed.

    Load is the 1-minute average at the start per core of the machine, of which a container may use
    fewer; it includes the run's own preparation, as far as that fell into the minute. No saving:
    it is the trust in the numbers that suffers.
    """
    environment = measured.environment
    load = environment.load_avg_1min
    cores, source = environment.machine_cpu_count, "volatile.machine_cpu_count"
    if cores is None:
        cores, source = environment.cpu_count, "identity.cpu_count"
    if cores is not None and load is not None and load / cores >= NOISY_MACHINE["busy"]:
        yield _finding(
            "medium" if load / cores >= NOISY_MACHINE["full"] else "low",
            "the machine was busy when the run began",
            [
                Evidence(metric="environment.volatile.load_avg_1min", value=load, unit="processes"),
                Evidence(metric=f"environment.{source}", value=float(cores), unit="count"),
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
        id=f"{NOISY_MACHINE.id}:{name}",
        severity=severity,
        title=f"The times may not repeat: {subject}",
        evidence=evidence,
        advice="Before comparing with other runs, measure again while nothing else is running, and "
        "repeat the run to see how much its times vary.",
    )
