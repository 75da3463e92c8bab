"""What a live W&B run holds beyond its file."""

from __future__ import annotations

from typing import Any

import pytest

from ocr_baseline.sources.logged.keys import parse_key
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.wandb.values import plain_summary, unwritten_row

TIME, BATCHES, MEAN = (
    f"performance/val_{name}" for name in ("epoch_time", "num_batches", "batch_mean")
)
FIRST = {TIME: 2.0, BATCHES: 8, MEAN: 0.25, "epoch": 0}


def totals(rows: list[dict[str, Any]], summary: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Each epoch's time, batches and mean, of the rows and what the summary adds to them."""
    reading = read_rows([*rows, unwritten_row(rows, summary, parse_key)])
    return [
        (epoch.epoch_time_s, epoch.num_batches, epoch.batch_mean_s)
        for stage in reading.stages
        for epoch in stage.reported
    ]


def test_a_summary_that_the_rows_already_hold_adds_nothing() -> None:
    assert unwritten_row([FIRST], FIRST, parse_key) == {}


def test_a_whole_epoch_that_is_not_on_disk_is_added_with_its_unchanged_values() -> None:
    summary = {TIME: 3.0, BATCHES: 8, MEAN: 0.5, "epoch": 1}
    assert totals([FIRST], summary) == [(2.0, 8, 0.25), (3.0, 8, 0.5)]


def test_an_epoch_of_which_a_part_is_on_disk_is_completed_and_not_counted_twice() -> None:
    rows = [FIRST, {TIME: 3.0, BATCHES: 8, "epoch": 1}]
    summary = {TIME: 3.0, BATCHES: 8, MEAN: 0.5}
    assert totals(rows, summary) == [(2.0, 8, 0.25), (3.0, 8, 0.5)]


def test_without_rows_the_summary_is_the_last_epoch() -> None:
    assert totals([], {"performance": {"val_epoch_time": 3.0}, BATCHES: 8}) == [(3.0, 8, None)]


def test_a_mean_over_the_epochs_is_no_last_value() -> None:
    assert unwritten_row([FIRST], {TIME: {"mean": 9.0}}, parse_key) == {}


@pytest.mark.parametrize("stage", ["train_epoch_time", "val_epoch_time/dataloader_idx_1"])
def test_another_stage_or_dataloader_is_left_as_it_is(stage: str) -> None:
    summary = {**FIRST, f"performance/{stage}": 9.0}
    assert unwritten_row([FIRST], summary, parse_key) == {f"performance/{stage}": 9.0}


def test_nested_summaries_become_plain_mappings() -> None:
    class Wrapped:
        """Has keys and items, as the client's own classes do, and is no mapping."""

        def __init__(self, **values: Any) -> None:
            self.values = values

        def keys(self) -> list[str]:
            return list(self.values)

        def __getitem__(self, name: str) -> Any:
            return self.values[name]

    assert plain_summary(Wrapped(a=Wrapped(mean=1), b=2)) == {"a": {"mean": 1}, "b": 2}
