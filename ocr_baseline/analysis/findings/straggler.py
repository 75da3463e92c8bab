"""One rank that the others wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.catalogue import STRAGGLER_RANK
from ocr_baseline.analysis.findings.rule import count_evidence, quoted, seconds_evidence, title
from ocr_baseline.analysis.ranks import straggler
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.ranks import Straggler


def straggler_rank(measured: Measured) -> Iterator[Finding]:
    """Find a rank whose own work makes up most of what ranks work longer than the usual one.

    The saving is what the rank takes longer than the next slowest, once per batch: the others wait
    that long for it.
    """
    for stage in (Stage.TRAIN, Stage.VALIDATION):
        found = straggler(measured.run.ranks, stage)
        if found is None or found.batches < STRAGGLER_RANK["batches"]:
            continue
        if found.excess_s >= STRAGGLER_RANK["medium"] * found.batch_mean_s:
            yield _finding(found)


def _finding(found: Straggler) -> Finding:
    where = f"ranks.{found.rank}.{found.stage.value}"
    evidence = [
        seconds_evidence(f"{where}.own_excess_per_batch", found.excess_s),
        Evidence(metric=f"{where}.share_of_excess", value=found.excess_share, unit="share"),
        count_evidence("ranks", found.ranks),
    ]
    if found.line is not None and found.line_excess_s is not None:
        evidence.append(seconds_evidence(f"{where}.{found.line}.excess", found.line_excess_s))
    return Finding(
        id=f"{STRAGGLER_RANK.id}-{found.stage.value}",
        severity=STRAGGLER_RANK.severity(found.excess_s / found.batch_mean_s),
        title=title(
            f"rank {found.rank} works longer than the other ranks in {PHASE_WORDS[found.stage]}",
            by=None if found.line is None else quoted(found.line),
        ),
        evidence=evidence,
        estimated_saving_s=found.lead_s * found.batches,
        saving_basis="this rank as fast as the next slowest one: ranks that exchange gradients at "
        "each batch wait for the slowest",
        advice=_advice(found),
    )


def _advice(found: Straggler) -> str:
    if found.line in {"data_wait", "loader_startup"}:
        return (
            f"Look at how rank {found.rank} reads its data: its share of the files, its disk, and "
            "whether its loader workers share cores with another process."
        )
    return (
        f"Look at the machine or device of rank {found.rank} (clock, temperature, other work on "
        "it) and at what only this rank does, such as logging or checkpoints."
    )
