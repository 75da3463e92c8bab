"""One rank that the others wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import (
    MODERATELY,
    count_evidence,
    seconds_evidence,
    severity_of,
)
from ocr_baseline.analysis.ranks import straggler
from ocr_baseline.model.document import Evidence, Finding
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.analysis.ranks import Straggler

RULE = "straggler-rank"
_WORDS = {Stage.TRAIN: "training", Stage.VALIDATION: "validation"}
MIN_BATCHES = 5
"""As many as other rules want: one odd batch must not make a straggler."""


def straggler_rank(measured: Measured) -> Iterator[Finding]:
    """Find a rank whose own work makes up 80% of what ranks work longer than the usual one.

    It counts from 5% of a batch's time on, XProf's limit for a moderate loss. The saving is what
    the rank takes longer than the next slowest, once a batch: the others wait that long for it.
    """
    for stage in (Stage.TRAIN, Stage.VALIDATION):
        found = straggler(measured.run.ranks, stage)
        if found is None or found.batches < MIN_BATCHES:
            continue
        if found.excess_s >= MODERATELY * found.batch_mean_s:
            yield _finding(found)


def _finding(found: Straggler) -> Finding:
    where = f"ranks.{found.rank}.{found.stage.value}"
    evidence = [
        seconds_evidence(f"{where}.own_excess_per_batch", found.excess_s),
        Evidence(metric=f"{where}.share_of_excess", value=found.excess_share, unit="share"),
        count_evidence("ranks", found.ranks),
    ]
    title = f"Rank {found.rank} works longer than the other ranks in {_WORDS[found.stage]}"
    if found.line is not None and found.line_excess_s is not None:
        title += f", by its `{found.line}`"
        evidence.append(seconds_evidence(f"{where}.{found.line}.excess", found.line_excess_s))
    return Finding(
        id=f"{RULE}-{found.stage.value}",
        severity=severity_of(found.excess_s / found.batch_mean_s),
        title=title,
        evidence=evidence,
        estimated_saving_s=found.lead_s * found.batches,
        saving_basis="the rank brought to the pace of the next slowest one: ranks that exchange "
        "gradients each batch wait for the slowest",
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
