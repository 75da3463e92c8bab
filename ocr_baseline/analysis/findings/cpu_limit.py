"""The container's processor limit held the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import CPU_LIMIT
from ocr_baseline.analysis.findings.rule import count_evidence, seconds_evidence
from ocr_baseline.model.document import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured


def cpu_limit(measured: Measured) -> Iterator[Finding]:
    """Find a limit that stopped the run's processes for a part of its time.

    No saving: with more processor time the run would compute in it, for as long as that takes.
    """
    environment = measured.environment
    share, held_s = environment.cpu_limit_held_share, environment.cpu_limit_held_s
    if share is None or held_s is None or share < CPU_LIMIT["low"]:
        return
    where = "environment.volatile"
    evidence = [
        seconds_evidence(f"{where}.cpu_limit_held_s", held_s),
        Evidence(metric=f"{where}.cpu_limit_held_share", value=share, unit="share"),
    ]
    if environment.cpu_throttled_periods is not None:
        evidence.append(
            count_evidence(f"{where}.cpu_throttled_periods", int(environment.cpu_throttled_periods))
        )
    if environment.cpu_limit_cores is not None:
        evidence.append(
            Evidence(
                metric=f"{where}.cpu_limit_cores", value=environment.cpu_limit_cores, unit="cores"
            )
        )
    yield Finding(
        id=CPU_LIMIT.id,
        severity=CPU_LIMIT.severity(share),
        title=f"The container's CPU limit held the run for up to {held_s:.1f} s",
        evidence=evidence,
        advice="Give the container more processor time, or let the run ask for less at once: fewer "
        "loader workers, and fewer threads in each process (torch.set_num_threads, "
        "OMP_NUM_THREADS). Single batches are slow wherever the limit stops them.",
    )
