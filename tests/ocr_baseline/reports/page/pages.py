"""Runs whose pages are tested: usual ones, and those that are too long, too many or too strange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from numpy.typing import NDArray

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.comparison.comparison import compare
from ocr_baseline.model.document import Baseline, BreakdownLine, Operation
from ocr_baseline.model.run import (
    BatchTable,
    EpochRecord,
    Missing,
    RankRecord,
    RankStage,
    ReportedEpoch,
    Run,
    RunInfo,
    StageRecord,
)
from ocr_baseline.reports.page.comparison_page import render_comparison_page
from ocr_baseline.reports.page.run_page import render_run_page
from ocr_baseline.reports.page.sweep_page import render_sweep_page
from ocr_baseline.reports.sweep import SweepJob
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.builders import memory_samples
from tests.ocr_baseline.comparison.measured_runs import run as summary_of
from tests.ocr_baseline.examples import (
    all_missing_baseline,
    empty_baseline,
    empty_run,
    full_baseline,
    hostile_baseline,
    one_batch_baseline,
)

Columns = NDArray[np.float64]
VOID = {"meta", "link", "br", "img"}
ARABIC, CHINESE = "مقياس.التحديث", "检测模型.计算指标.更新"


class Element:
    """An element, its attributes and the text directly in it."""

    def __init__(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        self.tag = tag
        self.attributes = dict(attributes)
        self.text = ""


class Elements(HTMLParser):
    """The elements of a page; an end tag without its start tag is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Element] = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(self.found[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text += data

    def of(self, tag: str, css: str | None = None) -> list[Element]:
        """The elements of a tag, of one class where one is given."""
        return [
            one
            for one in self.found
            if one.tag == tag
            and (css is None or css in (one.attributes.get("class") or "").split())
        ]


def trained(epochs: int = 4, batches: int = 60, *, slow_at: int | None = None) -> Run:
    """A run of epochs of 100 ms batches, a validation of half as many after each, memory read."""
    train: list[Columns] = []
    validation: list[Columns] = []
    passes: tuple[list[EpochRecord], list[EpochRecord]] = ([], [])
    now_s = 1.0
    for epoch in range(epochs):
        for into, count, each_s, kept in (
            (train, batches, 0.1, passes[0]),
            (validation, batches // 2, 0.04, passes[1]),
        ):
            kept.append(_pass(epoch, now_s, count))
            start_s = now_s + np.arange(count) * each_s
            into.append(np.stack([np.full(count, epoch), np.arange(count), start_s]))
            now_s += count * each_s
        now_s += 0.2
    stages = (
        _stage(Stage.TRAIN, np.concatenate(train, axis=1), 0.1, passes[0], slow_at),
        _stage(Stage.VALIDATION, np.concatenate(validation, axis=1), 0.04, passes[1], None),
    )
    samples = max(2, min(2000, int(now_s)))
    memory = memory_samples(
        np.linspace(1.0, 1.6, samples) * 2**30, 0.5 * 2**30, every_s=now_s / samples
    )
    info = RunInfo(
        source="recorder", status="finished", name="receipts, resnet18", duration_s=now_s
    )
    return Run(info=info, stages=stages, memory=memory)


def _pass(epoch: int, started_s: float, batches: int) -> EpochRecord:
    tail_s = {"checkpoint": 0.15}
    return EpochRecord(epoch=epoch, started_s=started_s, batches=batches, events=0, tail_s=tail_s)


def _stage(
    stage: Stage,
    columns: Columns,
    each_s: float,
    passes: list[EpochRecord],
    slow_at: int | None,
) -> StageRecord:
    count = columns.shape[1]
    spread = np.random.default_rng(3).normal(1.0, 0.06, count)
    duration_s = each_s * np.maximum(spread, 0.7)
    if slow_at is not None:
        duration_s[slow_at] = 30 * each_s
    table = BatchTable(
        epoch=columns[0].astype(np.int64),
        batch_idx=columns[1].astype(np.int64),
        dataloader_idx=np.zeros(count, dtype=np.int64),
        start_s=columns[2],
        duration_s=duration_s,
        samples=np.full(count, 4.0),
        lines_s={
            "data_wait": (duration_s * 0.3).astype(np.float32),
            "forward": (duration_s * 0.7).astype(np.float32),
        },
    )
    return StageRecord(stage=stage, batches=table, epochs=tuple(passes))


def page_of(run: Run) -> str:
    return render_run_page(analyze(run), run)


def of_10_000_operations() -> str:
    baseline = full_baseline()
    names = [f"project.module_{number}.operation_{number}" for number in range(10_000)]
    train = baseline.phases[0]
    lines = [
        BreakdownLine(name=name, total_s=1.1e-3, share=1e-4, per_batch_s=1e-5) for name in names
    ]
    operations = [
        Operation(name=name, phase="train", process="main", calls=3, total_s=1.0, exclusive_s=1.0)
        for name in names
    ]
    phases = [train.model_copy(update={"breakdown": [*train.breakdown, *lines]})]
    update = {"phases": phases + baseline.phases[1:], "operations": operations}
    return render_run_page(baseline.model_copy(update=update))


def of_1024_ranks() -> str:
    run = trained()
    ranks = tuple(
        RankRecord(
            rank=rank,
            status="finished",
            stages=(
                RankStage(
                    stage=Stage.TRAIN,
                    batches=240,
                    epochs=4,
                    samples=960,
                    total_s=24.0,
                    batches_s=24.0,
                    lines_s={"backward": 9.0 + rank / 1024, "forward": 15.0 - rank / 1024},
                ),
            ),
        )
        for rank in range(1024)
    )
    return page_of(replace(run, world_size=1024, ranks=ranks))


def of_foreign_names() -> str:
    baseline = full_baseline()
    validation = baseline.phases[1]
    lines = [
        BreakdownLine(name=name, total_s=3.0, share=0.2, per_batch_s=0.1)
        for name in (ARABIC, CHINESE)
    ]
    phases = [
        baseline.phases[0],
        validation.model_copy(update={"breakdown": lines + validation.breakdown}),
    ]
    info = replace(baseline.run, name=f"{CHINESE} {ARABIC}")
    return render_run_page(baseline.model_copy(update={"phases": phases, "run": info}))


def of_three_numbers() -> str:
    """A run of a tracker that logged the mean of its training batches, and nothing else."""
    reported = tuple(ReportedEpoch(epoch=epoch, batch_mean_s=0.1) for epoch in range(3))
    stages = (StageRecord(stage=Stage.TRAIN, reported=reported),)
    return page_of(Run(info=RunInfo(source="wandb-api", name="logged"), stages=stages))


def of_failed_setup() -> str:
    info = RunInfo(
        source="recorder",
        name="never began",
        status="failed",
        ended_by="FileNotFoundError",
        duration_s=2.1,
    )
    why = Missing(metric="phases", reason="skipped", detail="the run ended in its set-up")
    return page_of(Run(info=info, missing=(why,)))


def _document(make: Callable[[], Baseline]) -> Callable[[], str]:
    return lambda: render_run_page(make())


PAGES: Mapping[str, Callable[[], str]] = {
    "trained": lambda: page_of(trained(slow_at=70)),
    "full": _document(full_baseline),
    "no batches": lambda: page_of(empty_run()),
    "empty": _document(empty_baseline),
    "one batch": _document(one_batch_baseline),
    "everything missing": _document(all_missing_baseline),
    "failed set-up": of_failed_setup,
    "three numbers": of_three_numbers,
    "10,000 operations": of_10_000_operations,
    "1,024 ranks": of_1024_ranks,
    "foreign names": of_foreign_names,
    "hostile": _document(hostile_baseline),
    "comparison": lambda: render_comparison_page(
        compare([summary_of(0)], [summary_of(1, factor=1.3)])
    ),
    "sweep": lambda: render_sweep_page(
        [
            SweepJob(name=str(job), baseline=full_baseline(), page=f"{job}/x.html")
            for job in range(3)
        ]
    ),
}
