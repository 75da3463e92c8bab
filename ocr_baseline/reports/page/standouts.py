"""Batches that stand out on the timeline: those that a finding names, those beyond the axis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr_baseline.reports.page.words import shortened
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import name_of
from ocr_baseline.vocabulary import OPERATION_LINE_PREFIX, PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import BatchTable

    Tables = Sequence[tuple[str, BatchTable]]

MOST = 6
_NAMED = re.compile(
    r"series\.(?P<stage>\w+?)(?:\.dataloader_(?P<loader>\d+))?"
    r"\.epoch_(?P<epoch>\d+)\.batch_(?P<batch>\d+)\.duration_s"
)


class Standout(NamedTuple):
    """A batch with a number on the chart; `x` is a share of the axis, `y` one from the top."""

    number: int
    x: float
    y: float
    is_beyond: bool
    text: str


class _Row(NamedTuple):
    stage: str
    row: int
    duration_s: float


def standouts(baseline: Baseline, tables: Tables, end_s: float, high_s: float) -> list[Standout]:
    """Return the batches that stand out, the longest first, at most six."""
    by_stage = dict(tables)
    rows = {*_named(baseline, by_stage), *_beyond(tables, high_s)}
    longest = sorted(rows, key=lambda one: (-one.duration_s, one.stage, one.row))[:MOST]
    return [
        Standout(
            number,
            float(by_stage[one.stage].start_s[one.row]) / end_s,
            1.0 - min(1.0, one.duration_s / (high_s or 1.0)),
            one.duration_s > high_s,
            _words(one, by_stage[one.stage]),
        )
        for number, one in enumerate(longest, start=1)
    ]


def _beyond(tables: Tables, high_s: float) -> Iterator[_Row]:
    for stage, table in tables:
        over = np.flatnonzero(table.duration_s > high_s)
        for row in over[np.argsort(-table.duration_s[over], kind="stable")][:MOST]:
            yield _Row(stage, int(row), float(table.duration_s[row]))


def _named(baseline: Baseline, by_stage: dict[str, BatchTable]) -> Iterator[_Row]:
    """Yield the batches that a finding gives as its evidence."""
    for finding in baseline.findings:
        for item in finding.evidence:
            found = _NAMED.fullmatch(item.metric)
            table = by_stage.get(found["stage"]) if found else None
            if found is None or table is None:
                continue
            fits = (table.epoch == int(found["epoch"])) & (table.batch_idx == int(found["batch"]))
            if found["loader"] is not None:
                fits &= table.dataloader_idx == int(found["loader"])
            for row in np.flatnonzero(fits)[:1]:
                yield _Row(found["stage"], int(row), float(table.duration_s[row]))


def _words(one: _Row, table: BatchTable) -> str:
    """Return which batch it is, how long it took, and the line that took most of it."""
    batch = f"{PHASE_WORDS.get(one.stage, one.stage).capitalize()} batch"
    text = (
        f"{batch} {table.batch_idx[one.row]} of epoch {table.epoch[one.row]}: "
        f"{formatting.duration(one.duration_s)}"
    )
    by_line = {line: float(column[one.row]) for line, column in table.lines_s.items()}
    longest = max(by_line, key=by_line.__getitem__, default=None)
    if longest is None:
        return text
    name = shortened(name_of(longest.removeprefix(OPERATION_LINE_PREFIX))).replace("`", "'")
    return f"{text}, {formatting.duration(by_line[longest])} of it in `{name}`"
