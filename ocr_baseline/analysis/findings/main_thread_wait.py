"""How long the main thread stood still in a line: longer than it computed, as a rule asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import quoted, seconds_evidence
from ocr_baseline.model.document import Evidence

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import BreakdownLine, Phase

MOSTLY = 0.5
"""A line waits from this share of it on, and other threads may be why from this share of the wait.

Below, most of what stands in the line may be computed.
"""

_CAUSES = "a file, the network, a lock, another process or a sleep"


@dataclass(frozen=True)
class MainThreadWait:
    """A line that the main thread mostly waited in, in seconds.

    Attributes:
        line: The line's name.
        total_s: What it took.
        ran_s: The main thread's processor time in the whole stage: in the line, at most that.
        waited_s: What the main thread waited in the line, at least.
        others_s: The processor time of the process's other threads in the whole stage, where
            they may be what it waited for; None where they ran for too little of the wait.
        evidence: What these rest on, beside the line's total.
    """

    line: str
    total_s: float
    ran_s: float
    waited_s: float
    others_s: float | None
    evidence: tuple[Evidence, ...]

    @property
    def causes(self) -> str:
        """What it can have waited for, as the end of a sentence."""
        if self.others_s is None:
            return f"{_CAUSES}."
        return (
            "the interpreter's lock, if the other threads of the process run Python "
            f"({self.others_s:.2f} s of processor time in the stage), else those threads, "
            f"{_CAUSES}."
        )

    @property
    def numbers(self) -> str:
        """A sentence that says how long it ran and waited, and one on threads beside it."""
        beside = " Python that has to run beside it leaves the lock alone in a process of its own."
        return (
            f"In {quoted(self.line)} the main thread ran for at most {self.ran_s:.2f} s of "
            f"{self.total_s:.2f} s, and waited for at least {self.waited_s:.2f} s."
            + ("" if self.others_s is None else beside)
        )


def main_thread_wait(
    measured: Measured, phase: Phase, line: BreakdownLine
) -> MainThreadWait | None:
    """Return the wait of a line, None where the main thread may have computed most of it.

    What it ran in the whole stage, it ran in the line at most. While it stood ready for a core, or
    the container's limit held it, it didn't wait. With an accelerator, it may wait for that, which
    other rules judge.
    """
    environment = measured.environment
    ran_s, queued_s = phase.thread_s, phase.queued_s
    if environment.accelerator not in {None, "cpu"} or ran_s is None or queued_s is None:
        return None
    limit_share = environment.cpu_limit_held_share or 0.0
    waited_s = line.total_s - ran_s - queued_s - limit_share * (phase.total_s or line.total_s)
    if waited_s <= 0.0 or waited_s < MOSTLY * line.total_s:
        return None
    where = f"phases.{phase.name}"
    evidence = [
        seconds_evidence(f"{where}.thread_s", ran_s),
        seconds_evidence(f"{where}.queued_s", queued_s),
    ]
    if limit_share:
        metric = "environment.volatile.cpu_limit_held_share"
        evidence.append(Evidence(metric=metric, value=limit_share, unit="share"))
    others_s = None if phase.cpu_s is None else phase.cpu_s - ran_s
    if others_s is not None and others_s >= MOSTLY * waited_s:
        evidence.append(seconds_evidence(f"{where}.cpu_s", phase.cpu_s or 0.0))
    else:
        others_s = None
    return MainThreadWait(line.name, line.total_s, ran_s, waited_s, others_s, tuple(evidence))
