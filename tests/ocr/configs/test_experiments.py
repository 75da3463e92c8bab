from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig, MissingMandatoryValue

from ocr.train import config_dir, make_training_objects
from ocr_baseline.measure.operation_names import resolve

Compose = Callable[..., DictConfig]


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (config_dir() / group).glob("*.yaml"))


@pytest.mark.parametrize("experiment", names("experiment"))
@pytest.mark.slow
def test_every_experiment_makes_its_training_objects(
    compose_app: Compose, tmp_path: Path, experiment: str
) -> None:
    cfg = compose_app(f"experiment={experiment}", f"data.root='{tmp_path}'")
    objects = make_training_objects(cfg)
    assert objects.trainer.max_epochs == cfg.trainer.max_epochs


@pytest.mark.slow
@pytest.mark.parametrize("model", names("model"))
def test_every_model_can_be_made(compose_app: Compose, model: str) -> None:
    assert list(make_training_objects(compose_app(f"model={model}")).model.parameters())


def test_real_receipts_need_the_name_of_their_folder(compose_app: Compose) -> None:
    with pytest.raises(MissingMandatoryValue, match=r"data\.root"):
        make_training_objects(compose_app("data=receipts"))


def test_the_profiling_run_is_not_stopped_early(compose_app: Compose) -> None:
    objects = make_training_objects(compose_app("experiment=baseline_profile"))
    kinds = {type(callback).__name__ for callback in objects.callbacks}
    assert "EarlyStopping" not in kinds
    assert {"PerformanceProfilerCallback", "BaselineReportCallback", "ModelCheckpoint"} <= kinds


def test_what_is_timed_by_name_in_the_receipt_pipeline_exists(compose_app: Compose) -> None:
    operations = compose_app("callbacks=baseline_report").callbacks.performance_profiler.operations
    assert len(operations) > 0
    for operation in operations:
        assert resolve(operation).dotted_name == operation
