"""The table of names."""

from __future__ import annotations

import pytest

from ocr_baseline.errors import SettingError
from ocr_baseline.sources.logged.keys import (
    FORKS,
    MEMORY,
    STATISTICS,
    MetricKey,
    key_parser,
    parse_key,
)
from ocr_baseline.vocabulary import REPORTED_STAGES, Stage


def _key(name: str, stage: Stage | None = None, **more: object) -> MetricKey:
    parts = {"dataloader_idx": None, "fork": "", "prefix": "", **more}
    return MetricKey(name=name, stage=stage, **parts)  # type: ignore[arg-type] # a test's shorthand


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("performance/val_batch_mean", _key("batch_mean", Stage.VALIDATION)),
        ("performance/test_batch_p99", _key("batch_p99", Stage.TEST)),
        ("performance/train_epoch_time", _key("epoch_time", Stage.TRAIN)),
        ("performance/val_epoch_time_epoch", _key("epoch_time", Stage.VALIDATION, fork="_epoch")),
        ("performance/val_batch_mean_step", _key("batch_mean", Stage.VALIDATION, fork="_step")),
        (
            "performance/val_num_batches/dataloader_idx_1",
            _key("num_batches", Stage.VALIDATION, dataloader_idx=1),
        ),
        (
            "performance/val_batch_std_epoch/dataloader_idx_12",
            _key("batch_std", Stage.VALIDATION, fork="_epoch", dataloader_idx=12),
        ),
        ("run1-performance/val_batch_p95", _key("batch_p95", Stage.VALIDATION, prefix="run1")),
        ("a/b/performance/val_batch_p95", _key("batch_p95", Stage.VALIDATION, prefix="a/b")),
        ("performance.val_batch_median", _key("batch_median", Stage.VALIDATION)),
        ("performance/gpu_memory_gb", _key("gpu_memory_gb")),
        ("performance/val_gpu_memory_gb", _key("gpu_memory_gb", Stage.VALIDATION)),
        ("performance/gpu_memory_reserved_gb", _key("gpu_memory_reserved_gb")),
    ],
)
def test_a_key_is_taken_apart(key: str, expected: MetricKey) -> None:
    assert parse_key(key) == expected


@pytest.mark.parametrize(
    "key",
    [
        "",
        "epoch",
        "val_batch_mean",
        "performance/batch_mean",
        "performance/val_loss",
        "performance/testval_batch_mean",
        "performance/test_val_batch_mean",
        "performance/val_batch_mean_max",
        "performance/val_batch_mean/dataloader_idx_",
        "myperformance/val_batch_mean",
    ],
)
def test_other_keys_are_none_of_the_table(key: str) -> None:
    assert parse_key(key) is None


@pytest.mark.parametrize("stage", REPORTED_STAGES)
@pytest.mark.parametrize("name", [*STATISTICS, *MEMORY])
@pytest.mark.parametrize("fork", FORKS)
def test_each_name_is_read_back_in_each_stage_and_fork(stage: Stage, name: str, fork: str) -> None:
    plain = f"performance/{stage.metric_prefix}_{name}"

    key = parse_key(f"x-{plain}{fork}/dataloader_idx_0")

    assert key is not None
    assert (key.stage, key.name, key.fork) == (stage, name, fork)
    assert key.canonical == f"{plain}/dataloader_idx_0"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("performance/val_batch_p99", "phases.validation.batch_time_s.p99"),
        ("performance/train_epoch_time", "phases.train.total_s"),
        ("performance/val_num_batches/dataloader_idx_1", "phases.validation.dataloader_1.batches"),
        ("performance/val_gpu_memory_gb", "memory.accelerator.allocated_peak_bytes"),
    ],
)
def test_a_key_tells_where_the_baseline_shows_it(key: str, path: str) -> None:
    parsed = parse_key(key)

    assert parsed is not None
    assert parsed.document_path == path


OWN = {"my/val_seconds": "performance/val_epoch_time", "gpu": "performance/gpu_memory_gb"}


@pytest.mark.parametrize(
    ("key", "same_as"),
    [
        ("my/val_seconds", "performance/val_epoch_time"),
        ("my/val_seconds_epoch", "performance/val_epoch_time_epoch"),
        ("my/val_seconds/dataloader_idx_2", "performance/val_epoch_time/dataloader_idx_2"),
        (
            "my/val_seconds_step/dataloader_idx_2",
            "performance/val_epoch_time_step/dataloader_idx_2",
        ),
        ("gpu", "performance/gpu_memory_gb"),
        ("performance/val_batch_mean", "performance/val_batch_mean"),
    ],
)
def test_a_users_own_name_means_the_key_that_it_stands_for(key: str, same_as: str) -> None:
    assert key_parser(OWN)(key) == parse_key(same_as)
    assert parse_key(same_as) is not None


@pytest.mark.parametrize("key", ["my/val_seconds_total", "my/val", "cpu", "not my/val_seconds"])
def test_other_keys_are_none_of_a_users_own(key: str) -> None:
    assert key_parser(OWN)(key) is None


def test_an_own_name_that_ends_like_a_fork_is_taken_whole() -> None:
    parse = key_parser({"seconds_per_epoch": "performance/train_epoch_time"})

    assert parse("seconds_per_epoch") == parse_key("performance/train_epoch_time")
    assert parse("seconds_per_epoch_step") == parse_key("performance/train_epoch_time_step")


@pytest.mark.parametrize(
    "wrong", ["", "val_epoch_time", "performance/val_epoch_time_epoch", "performance/epoch_time"]
)
def test_an_own_name_for_something_unknown_is_refused_with_the_known_names(wrong: str) -> None:
    with pytest.raises(SettingError, match=r"my/x.*epoch_time, num_batches.*gpu_memory_gb"):
        key_parser({"my/x": wrong})
