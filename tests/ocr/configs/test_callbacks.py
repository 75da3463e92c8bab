from __future__ import annotations

from collections.abc import Callable

import pytest
from omegaconf import DictConfig

from ocr.train import instantiate_group

Compose = Callable[..., DictConfig]
DEFAULT = {"model_checkpoint", "early_stopping", "progress_bar"}


def test_the_default_callbacks_checkpoint_and_stop_by_the_validation_hmean(
    compose_app: Compose,
) -> None:
    callbacks = compose_app().callbacks
    assert set(callbacks) == DEFAULT
    for name in ("model_checkpoint", "early_stopping"):
        assert (callbacks[name].monitor, callbacks[name].mode) == ("val/hmean", "max")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("performance_profiler", DEFAULT | {"performance_profiler"}),
        ("baseline_report", DEFAULT | {"performance_profiler", "baseline_report"}),
        ("[default,baseline_report]", DEFAULT | {"performance_profiler", "baseline_report"}),
        ("[baseline_report,default]", DEFAULT | {"performance_profiler", "baseline_report"}),
        ("[none,default]", DEFAULT),
        ("none", set()),
    ],
)
def test_each_choice_of_callbacks_adds_to_the_default_ones(
    compose_app: Compose, choice: str, expected: set[str]
) -> None:
    assert set(compose_app(f"callbacks={choice}").get("callbacks") or {}) == expected


def test_baseline_report_is_the_same_alone_and_in_a_list(compose_app: Compose) -> None:
    alone = compose_app("callbacks=baseline_report")
    listed = compose_app("callbacks=[default,baseline_report]")
    assert alone.callbacks == listed.callbacks


def test_every_callback_is_made_once(compose_app: Compose) -> None:
    callbacks = instantiate_group(compose_app("callbacks=[default,baseline_report]"), "callbacks")
    kinds = [type(callback).__name__ for callback in callbacks]
    assert sorted(kinds) == [
        "BaselineReportCallback",
        "EarlyStopping",
        "ModelCheckpoint",
        "PerformanceProfilerCallback",
        "TQDMProgressBar",
    ]


def test_a_callback_set_to_null_is_left_out(compose_app: Compose) -> None:
    callbacks = instantiate_group(compose_app("callbacks.early_stopping=null"), "callbacks")
    assert "EarlyStopping" not in {type(callback).__name__ for callback in callbacks}
