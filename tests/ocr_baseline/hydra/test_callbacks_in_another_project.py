"""The callbacks as another project finds them, laid out like lightning-hydra-template."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir, initialize_config_module
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig

OURS = {"performance_profiler", "baseline_report"}
THEIRS = {"model_checkpoint", "model_summary"}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def with_defaults(tmp_path: Path) -> Path:
    configs = tmp_path / "configs"
    write(configs / "train.yaml", "defaults:\n  - _self_\n  - callbacks: default\n")
    write(
        configs / "callbacks" / "default.yaml",
        "defaults:\n  - model_checkpoint\n  - model_summary\n  - _self_\n"
        "model_checkpoint:\n  monitor: val/acc\n",
    )
    write(
        configs / "callbacks" / "model_checkpoint.yaml",
        "model_checkpoint:\n"
        "  _target_: lightning.pytorch.callbacks.ModelCheckpoint\n  monitor: null\n",
    )
    write(
        configs / "callbacks" / "model_summary.yaml",
        "model_summary:\n  _target_: lightning.pytorch.callbacks.RichModelSummary\n",
    )
    return configs


@pytest.fixture
def with_empty_group(tmp_path: Path) -> Path:
    configs = tmp_path / "configs"
    write(configs / "train.yaml", "defaults:\n  - _self_\n  - callbacks: null\n")
    return configs


@pytest.fixture
def without_group(tmp_path: Path) -> Path:
    configs = tmp_path / "configs"
    write(configs / "train.yaml", "epochs: 3\n")
    return configs


def composed(configs: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir=str(configs), version_base="1.3"):
        return compose("train", overrides=list(overrides))


@pytest.mark.parametrize("choice", ["baseline_report", "[default,baseline_report]"])
def test_the_projects_default_callbacks_stay(with_defaults: Path, choice: str) -> None:
    callbacks = composed(with_defaults, f"callbacks={choice}").callbacks
    assert set(callbacks) == THEIRS | OURS
    assert callbacks.model_checkpoint.monitor == "val/acc"


def test_the_profiler_alone_keeps_the_projects_default_callbacks(with_defaults: Path) -> None:
    callbacks = composed(with_defaults, "callbacks=performance_profiler").callbacks
    assert set(callbacks) == THEIRS | {"performance_profiler"}


def test_a_project_whose_callbacks_are_null_gets_the_report(with_empty_group: Path) -> None:
    assert set(composed(with_empty_group, "callbacks=baseline_report").callbacks) == OURS


def test_a_project_without_callbacks_gets_the_report_with_a_plus(without_group: Path) -> None:
    assert set(composed(without_group, "+callbacks=baseline_report").callbacks) == OURS


def test_defaults_from_an_added_search_path_stay(tmp_path: Path, with_empty_group: Path) -> None:
    write(tmp_path / "more" / "callbacks" / "default.yaml", "summary:\n  _target_: theirs\n")
    added = f"hydra.searchpath=['file://{tmp_path / 'more'}']"
    callbacks = composed(with_empty_group, added, "callbacks=baseline_report").callbacks
    assert set(callbacks) == {"summary"} | OURS


def test_defaults_of_configs_that_are_a_package_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "configs_of_theirs"
    write(package / "__init__.py", "")
    write(package / "train.yaml", "defaults:\n  - callbacks: default\n")
    write(package / "callbacks" / "__init__.py", "")
    write(package / "callbacks" / "default.yaml", "summary:\n  _target_: theirs\n")
    monkeypatch.syspath_prepend(tmp_path)
    with initialize_config_module("configs_of_theirs", version_base="1.3"):
        callbacks = compose("train", overrides=["callbacks=baseline_report"]).callbacks
    assert set(callbacks) == {"summary"} | OURS


def test_a_config_of_the_same_name_in_the_project_comes_first(with_defaults: Path) -> None:
    write(with_defaults / "callbacks" / "baseline_report.yaml", "mine:\n  _target_: theirs\n")
    assert set(composed(with_defaults, "callbacks=baseline_report").callbacks) == {"mine"}


def test_the_package_brings_no_default_callbacks_of_its_own(with_empty_group: Path) -> None:
    with pytest.raises(ConfigCompositionException, match="Could not find 'callbacks/default'"):
        composed(with_empty_group, "callbacks=default")


def run_app(configs: Path, repository: Path, body: str, *overrides: str) -> str:
    app = configs.parent / "train.py"
    app.write_text(
        "import sys\n"
        "import hydra\n"
        "@hydra.main(version_base='1.3', config_path='configs', config_name='train')\n"
        f"def main(cfg):\n    {body}\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, app.name, *overrides],
        cwd=configs.parent,
        env=os.environ | {"PYTHONPATH": str(repository), "HYDRA_FULL_ERROR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_projects_own_loop_instantiates_the_callbacks(
    with_defaults: Path, repository: Path
) -> None:
    loop = (
        "print(*[type(hydra.utils.instantiate(c)).__name__"
        " for c in cfg.callbacks.values() if '_target_' in c])"
    )
    made = run_app(with_defaults, repository, loop, "callbacks=baseline_report")
    assert made.split() == [
        "ModelCheckpoint",
        "RichModelSummary",
        "PerformanceProfilerCallback",
        "BaselineReportCallback",
    ]


def test_a_hydra_program_that_does_not_use_the_callbacks_imports_nothing_heavy(
    with_defaults: Path, repository: Path
) -> None:
    body = "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    imported = set(run_app(with_defaults, repository, body).split())
    assert "hydra_plugins" in imported
    assert imported.isdisjoint({"torch", "lightning", "pandas", "numpy", "wandb", "pydantic"})
