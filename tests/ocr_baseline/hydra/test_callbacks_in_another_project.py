"""The callbacks as other Hydra applications find them, whatever files and names those have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir, initialize_config_module
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig

pytestmark = pytest.mark.slow

OURS = {"ocr_baseline_profiler", "ocr_baseline_report"}
HOOK = "ocr_baseline_hook"
DEFAULT = {"model_checkpoint", "model_summary"}

PRIMARY = "defaults:\n  - _self_\n  - callbacks: default\n"
TEMPLATE = {
    "configs/train.yaml": PRIMARY,
    "configs/callbacks/default.yaml": (
        "defaults:\n  - model_checkpoint\n  - model_summary\n  - _self_\n"
        "model_checkpoint:\n  monitor: val/acc\n"
    ),
    "configs/callbacks/model_checkpoint.yaml": (
        "model_checkpoint:\n"
        "  _target_: lightning.pytorch.callbacks.ModelCheckpoint\n  monitor: null\n"
    ),
    "configs/callbacks/model_summary.yaml": (
        "model_summary:\n  _target_: lightning.pytorch.callbacks.RichModelSummary\n"
    ),
}
"""Laid out like lightning-hydra-template."""
OWN_PROFILER = {
    "configs/callbacks/performance_profiler.yaml": (
        "performance_profiler:\n  _target_: ocr.lightning_modules.callbacks.Profiler\n"
    )
}
OWN_KEYS = {
    "configs/callbacks/default.yaml": (
        "defaults:\n  - model_checkpoint\n  - _self_\n"
        "performance_profiler:\n  _target_: theirs.Profiler\n  every: 5\n"
        "baseline_report:\n  _target_: theirs.Report\n"
    )
}
OWN_PACKAGE = {
    "ocr/__init__.py": "",
    "ocr/train.py": "",
    "ocr/lightning_modules/__init__.py": "",
    "ocr/lightning_modules/callbacks/__init__.py": "class Profiler: ...\n",
}
MANY = {
    "configs/train.yaml": "defaults:\n  - _self_\n  - callbacks: many\n",
    "configs/callbacks/many.yaml": (
        "defaults:\n  - model_checkpoint\n  - _self_\n"
        "early_stopping:\n  _target_: theirs.EarlyStopping\n"
    ),
    "configs/experiment/fast.yaml": (
        "# @package _global_\ndefaults:\n  - override /callbacks: default\n"
    ),
}
"""Its primary config chooses another file than `default`."""
INLINE = {
    "configs/train.yaml": "callbacks:\n  checkpoint:\n    _target_: theirs.Checkpoint\n",
}
BARE = {"configs/train.yaml": "epochs: 3\n"}
EMPTY = {"configs/train.yaml": "defaults:\n  - _self_\n  - callbacks: null\n"}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "configs"


def composed(configs: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir=str(configs), version_base="1.3"):
        return compose("train", overrides=list(overrides))


LOOP = """
    for name, entry in (cfg.get("callbacks") or {}).items():
        if "_target_" in entry:
            print(name, entry._target_)
"""


def run_app(
    folder: Path, repository: Path, *overrides: str, body: str = LOOP
) -> subprocess.CompletedProcess[str]:
    """Run an application that takes every entry of `callbacks`; its folder comes first on the path.

    Its configuration is that of `folder`; it prints its callbacks, or does what `body` says.
    """
    (folder / "train.py").write_text(
        "import sys\n"
        "import hydra\n"
        "@hydra.main(version_base='1.3', config_path='configs', config_name='train')\n"
        f"def main(cfg):\n    {body.strip()}\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "train.py", *overrides],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f".{os.pathsep}{repository}", "HYDRA_FULL_ERROR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def callbacks_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    lines = [line.split() for line in done.stdout.splitlines()]
    return {words[0]: words[1] for words in lines if len(words) == 2}


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        pytest.param({}, DEFAULT, id="the template"),
        pytest.param(OWN_PACKAGE, DEFAULT, id="a package called ocr"),
        pytest.param(OWN_PROFILER, DEFAULT, id="callbacks/performance_profiler.yaml"),
        pytest.param(
            OWN_KEYS,
            {"model_checkpoint", "performance_profiler", "baseline_report"},
            id="keys called as the files here",
        ),
        pytest.param(
            OWN_PACKAGE | OWN_PROFILER | OWN_KEYS,
            {"model_checkpoint", "performance_profiler", "baseline_report"},
            id="all of them",
        ),
    ],
)
def test_an_application_keeps_its_callbacks_whatever_it_calls_them(
    tmp_path: Path, repository: Path, own: dict[str, str], kept: set[str]
) -> None:
    configs = write(tmp_path, TEMPLATE | own)
    before = {name: entry._target_ for name, entry in composed(configs).callbacks.items()}
    done = run_app(tmp_path, repository, "callbacks=baseline_report")
    callbacks = callbacks_of(done)
    assert set(before) == kept
    assert set(callbacks) == kept | OURS
    assert {name: callbacks[name] for name in kept} == before
    assert callbacks["ocr_baseline_profiler"] == "ocr_baseline.PerformanceProfilerCallback"
    assert callbacks["ocr_baseline_report"] == "ocr_baseline.BaselineReportCallback"
    assert "WARNING" not in done.stdout
    added = composed(configs, "+ocr_baseline=report").callbacks
    assert {name: entry._target_ for name, entry in added.items()} == callbacks


@pytest.mark.parametrize(
    ("own", "override", "kept"),
    [
        pytest.param(BARE, "+callbacks=baseline_report", set(), id="no callbacks"),
        pytest.param(BARE, "+ocr_baseline=report", set(), id="no callbacks, ours beside them"),
        pytest.param(EMPTY, "callbacks=baseline_report", set(), id="callbacks: null"),
        pytest.param(EMPTY, "+ocr_baseline=report", set(), id="callbacks: null, ours beside them"),
        pytest.param(INLINE, "+callbacks=baseline_report", {"checkpoint"}, id="in the config"),
        pytest.param(INLINE, "+ocr_baseline=report", {"checkpoint"}, id="in it, ours beside them"),
    ],
)
def test_an_application_without_a_group_of_callbacks_gets_the_report(
    tmp_path: Path, own: dict[str, str], override: str, kept: set[str]
) -> None:
    assert set(composed(write(tmp_path, own), override).callbacks) == kept | OURS


def test_the_report_is_added_to_whatever_the_application_chose(
    tmp_path: Path, repository: Path
) -> None:
    write(tmp_path, TEMPLATE | MANY)
    many = {"model_checkpoint", "early_stopping"}
    added = run_app(tmp_path, repository, "+ocr_baseline=report")
    assert set(callbacks_of(added)) == many | OURS
    fast = composed(tmp_path / "configs", "+experiment=fast", "+ocr_baseline=report")
    assert set(fast.callbacks) == DEFAULT | OURS


def test_an_application_can_put_the_report_into_its_own_defaults(
    tmp_path: Path, repository: Path
) -> None:
    primary = (
        "defaults:\n  - callbacks: many\n  - ocr_baseline: report\n  - _self_\n"
        "callbacks:\n  ocr_baseline_profiler:\n    log_interval: 50\n"
    )
    configs = write(tmp_path, TEMPLATE | MANY | {"configs/train.yaml": primary})
    callbacks = composed(configs).callbacks
    assert set(callbacks) == {"model_checkpoint", "early_stopping"} | OURS
    assert callbacks.ocr_baseline_profiler.log_interval == 50


def test_a_choice_that_replaces_callbacks_is_warned_of_with_what_to_write_instead(
    tmp_path: Path, repository: Path
) -> None:
    write(tmp_path, TEMPLATE | MANY)
    setting = "callbacks.ocr_baseline_profiler.log_interval=5"
    done = run_app(tmp_path, repository, "callbacks=baseline_report", setting)
    assert set(callbacks_of(done)) == DEFAULT | OURS
    (warning,) = [line for line in done.stdout.splitlines() if "WARNING" in line]
    assert "early_stopping" in warning
    assert "model_checkpoint" not in warning, "it is still there"
    assert "callbacks=many" in warning
    assert "+ocr_baseline=report" in warning


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param(["~callbacks.early_stopping"], id="a callback that the user takes out"),
        pytest.param(["+experiment=fast"], id="an experiment that chooses the default callbacks"),
    ],
)
def test_a_choice_that_loses_no_callback_is_not_warned_of(
    tmp_path: Path, repository: Path, overrides: list[str]
) -> None:
    many = (
        "defaults:\n  - model_checkpoint\n  - _self_\n"
        "early_stopping:\n  _target_: theirs.EarlyStopping\n"
    )
    write(tmp_path, TEMPLATE | MANY | {"configs/callbacks/default.yaml": many})
    done = run_app(tmp_path, repository, "callbacks=baseline_report", *overrides)
    assert "WARNING" not in done.stdout


def test_each_job_of_a_sweep_over_callbacks_warns_of_its_own(
    tmp_path: Path, repository: Path
) -> None:
    write(tmp_path, TEMPLATE | MANY)
    sweep = ["--multirun", "callbacks=many,baseline_report", "hydra/callbacks=baseline_report"]
    done = run_app(tmp_path, repository, *sweep)
    assert done.stdout.count("WARNING") == 1


def test_a_file_of_the_same_name_in_the_application_wins(tmp_path: Path) -> None:
    own = {"configs/callbacks/baseline_report.yaml": "mine:\n  _target_: theirs.Report\n"}
    configs = write(tmp_path, TEMPLATE | own)
    assert set(composed(configs, "callbacks=baseline_report").callbacks) == {"mine"}
    both = composed(configs, "callbacks=baseline_report", "+ocr_baseline=report")
    assert set(both.callbacks) == {"mine"} | OURS


@pytest.mark.parametrize("choice", ["baseline_report", "[default,baseline_report]"])
def test_the_projects_settings_of_its_default_callbacks_stay(tmp_path: Path, choice: str) -> None:
    callbacks = composed(write(tmp_path, TEMPLATE), f"callbacks={choice}").callbacks
    assert set(callbacks) == DEFAULT | OURS
    assert callbacks.model_checkpoint.monitor == "val/acc"


def test_the_report_goes_where_the_application_puts_its_callbacks(tmp_path: Path) -> None:
    primary = "defaults:\n  - callbacks@trainer.callbacks: default\n"
    configs = write(tmp_path, TEMPLATE | {"configs/train.yaml": primary})
    cfg = composed(configs, "callbacks@trainer.callbacks=baseline_report")
    assert set(cfg.trainer.callbacks) == DEFAULT | OURS


@pytest.mark.parametrize(
    "override",
    ["callbacks=baseline_report", "+ocr_baseline=report", "hydra/callbacks=baseline_report"],
)
def test_the_hook_comes_along_and_leaves_the_applications_own_hooks_alone(
    tmp_path: Path, override: str
) -> None:
    primary = (
        f"{PRIMARY}"
        "hydra:\n  callbacks:\n    baseline_report:\n      _target_: theirs.Hook\n      x: 1\n"
    )
    configs = write(tmp_path, TEMPLATE | {"configs/train.yaml": primary})
    with initialize_config_dir(config_dir=str(configs), version_base="1.3"):
        hooks = compose("train", overrides=[override], return_hydra_config=True).hydra.callbacks
    assert set(hooks) == {"baseline_report", HOOK}
    assert hooks.baseline_report == {"_target_": "theirs.Hook", "x": 1}
    assert hooks[HOOK] == {
        "_target_": "ocr_baseline.BaselineReportHook",
        "baseline_dir": "baseline",
        "summary": True,
    }


def test_defaults_from_an_added_search_path_stay(tmp_path: Path) -> None:
    configs = write(tmp_path, EMPTY)
    write(tmp_path / "more", {"callbacks/default.yaml": "summary:\n  _target_: theirs\n"})
    added = f"hydra.searchpath=['file://{tmp_path / 'more'}']"
    callbacks = composed(configs, added, "callbacks=baseline_report").callbacks
    assert set(callbacks) == {"summary"} | OURS


def test_defaults_of_configs_that_are_a_package_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = {
        "__init__.py": "",
        "train.yaml": "defaults:\n  - callbacks: default\n",
        "callbacks/__init__.py": "",
        "callbacks/default.yaml": "summary:\n  _target_: theirs\n",
    }
    write(tmp_path / "configs_of_theirs", package)
    monkeypatch.syspath_prepend(tmp_path)
    with initialize_config_module("configs_of_theirs", version_base="1.3"):
        callbacks = compose("train", overrides=["callbacks=baseline_report"]).callbacks
    assert set(callbacks) == {"summary"} | OURS


def test_the_package_brings_no_default_callbacks_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigCompositionException, match="Could not find 'callbacks/default'"):
        composed(write(tmp_path, EMPTY), "callbacks=default")


def test_the_projects_own_loop_instantiates_the_callbacks(tmp_path: Path, repository: Path) -> None:
    write(tmp_path, TEMPLATE)
    loop = (
        "print(*[type(hydra.utils.instantiate(c)).__name__"
        " for c in cfg.callbacks.values() if '_target_' in c])"
    )
    done = run_app(tmp_path, repository, "callbacks=baseline_report", body=loop)
    assert done.stdout.split() == [
        "ModelCheckpoint",
        "RichModelSummary",
        "PerformanceProfilerCallback",
        "BaselineReportCallback",
    ]


def test_a_hydra_program_that_does_not_use_the_callbacks_imports_nothing_heavy(
    tmp_path: Path, repository: Path
) -> None:
    write(tmp_path, TEMPLATE)
    body = "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    imported = set(run_app(tmp_path, repository, body=body).stdout.split())
    assert "hydra_plugins" in imported
    assert imported.isdisjoint({"torch", "lightning", "pandas", "numpy", "wandb", "pydantic"})
