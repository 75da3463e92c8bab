"""Documents of runs that are hard to show: nothing in them, too much, names of other alphabets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ocr_baseline.model.document import (
    Baseline,
    BreakdownLine,
    Distribution,
    Finding,
    Operation,
    Phase,
    Rank,
    RankPhase,
    RankSpread,
)
from ocr_baseline.model.run import Missing, RunInfo
from tests.ocr_baseline.examples import (
    GENERATED_AT,
    GENERATOR,
    all_missing_baseline,
    empty_baseline,
    full_baseline,
    hostile_baseline,
    one_batch_baseline,
)

ARABIC, CHINESE = "مقياس.التحديث", "检测模型.计算指标.更新"
MANY = 10_000
RANKS = 1024


def failed_in_setup() -> Baseline:
    """A run that ended before its first batch."""
    info = RunInfo(
        name="failed",
        source="recorder",
        status="failed",
        ended_by="FileNotFoundError: data/images",
        duration_s=0.8,
    )
    detail = "the run ended before its first batch"
    missing = [Missing(metric="phases", reason="skipped", detail=detail)]
    return Baseline(generated_at=GENERATED_AT, generator=GENERATOR, run=info, missing=missing)


def three_logged_numbers() -> Baseline:
    """A run of which W&B holds validation's last epoch: its time, mean batch and batches."""
    times = Distribution(count=40, mean=0.05)
    return Baseline(
        generated_at=GENERATED_AT,
        generator=GENERATOR,
        run=RunInfo(id="a1b2c3d4", name="brisk-sun-7", source="wandb-api", status="finished"),
        phases=[
            Phase(
                name="validation",
                epochs=1,
                batches=40,
                total_s=2.0,
                batch_time_s=times,
                batch_time_scope="last logged epoch",
                epoch_time_s=2.0,
            )
        ],
        missing=[Missing(metric="phases.train", reason="not_collected", detail="not logged")],
    )


def ten_thousand_operations(prefix: str = "project.module") -> Baseline:
    """A run that named 10,000 operations, each with a line of its own."""
    document = full_baseline()
    names = [f"{prefix}_{number}.operation" for number in range(MANY)]
    lines = [
        BreakdownLine(name=name, total_s=1.1e-3, share=1e-4, per_batch_s=1e-5) for name in names
    ]
    operations = [
        Operation(name=name, phase="train", process=process, calls=3, total_s=1.0, exclusive_s=1.0)
        for name in names
        for process in ("main", "worker")
    ]
    train = document.phases[0]
    breakdown = [*lines, *train.breakdown]
    phases = [train.model_copy(update={"breakdown": breakdown}), *document.phases[1:]]
    return document.model_copy(update={"phases": phases, "operations": operations})


def many_ranks() -> Baseline:
    """A run of 1,024 processes."""
    phase = RankPhase(
        phase="train",
        batches=100,
        epochs=1,
        total_s=10.0,
        data_wait_s=1.0,
        backward_s=3.0,
        collectives_s=0.0,
        own_s=7.0,
    )
    spread = RankSpread(
        phase="train", metric="own", min=0.06, min_rank=3, median=0.07, max=0.1, max_rank=1000
    )
    ranks = [Rank(rank=number, status="finished", phases=[phase]) for number in range(RANKS)]
    update = {"world_size": RANKS, "ranks": ranks, "rank_spreads": [spread]}
    return full_baseline().model_copy(update=update)


def foreign_names() -> Baseline:
    """A run whose names are Arabic and Chinese."""
    document = full_baseline()
    finding = Finding(
        id="dominant-function",
        severity="high",
        title=f"`{CHINESE}` takes 46% of validation",
        evidence=[],
        estimated_saving_s=3.0,
        share_of_run=0.2,
        advice=f"Call `{ARABIC}` less often.",
    )
    named = [
        document.phases[0].model_copy(update={"breakdown": _renamed(document.phases[0])}),
        document.phases[1].model_copy(update={"breakdown": _renamed(document.phases[1])}),
    ]
    info = RunInfo(name="تدريب 发票", source="recorder", status="finished", duration_s=30.0)
    update = {"run": info, "phases": named, "findings": [finding]}
    return document.model_copy(update=update)


def _renamed(phase: Phase) -> list[BreakdownLine]:
    names = (ARABIC, CHINESE)
    return [
        line.model_copy(update={"name": names[place] if place < 2 else line.name})
        for place, line in enumerate(phase.breakdown)
    ]


def everything_at_once() -> Baseline:
    """All of it: long names of three bytes a letter, ranks, warnings and what is missing."""
    crowded = ten_thousand_operations("检" * 120)
    findings = [
        one.model_copy(update={"title": "测" * 400, "advice": "量" * 600})
        for one in crowded.findings
    ]
    measurement = crowded.measurement.model_copy(
        update={"warnings": [f"{'警' * 300} {number}" for number in range(300)]}
    )
    missing = [
        Missing(metric=f"phases.train.{'缺' * 90}{number}", reason="failed", detail="由" * 900)
        for number in range(400)
    ]
    ranks = many_ranks()
    return crowded.model_copy(
        update={
            "findings": findings,
            "measurement": measurement,
            "missing": missing,
            "world_size": RANKS,
            "ranks": ranks.ranks,
            "rank_spreads": ranks.rank_spreads,
        }
    )


ODD: Mapping[str, Callable[[], Baseline]] = {
    "no batches": empty_baseline,
    "one batch": one_batch_baseline,
    "failed in set-up": failed_in_setup,
    "everything missing": all_missing_baseline,
    "three logged numbers": three_logged_numbers,
    "10,000 operations": ten_thousand_operations,
    "1,024 ranks": many_ranks,
    "foreign names": foreign_names,
    "hostile names": hostile_baseline,
    "everything at once": everything_at_once,
}
