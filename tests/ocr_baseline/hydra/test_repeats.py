"""Repeats in fresh processes, with a small Hydra application in place of a training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.hydra import repeats
from ocr_baseline.hydra.repeats import FinishedRun, RepeatsError, plan
from ocr_baseline.measure.canary import canary_s

pytestmark = pytest.mark.slow

APPLICATION = """
import os, time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig

@hydra.main(version_base="1.3", config_path=None, config_name="app")
def main(cfg):
    if cfg.fails:
        raise SystemExit("the disk is full")
    from ocr_baseline.reports.run.json import render_json
    from tests.ocr_baseline.comparison.measured_runs import baseline

    document = baseline(int(time.time_ns() % 10**9 // 1000), factor=cfg.work.factor)
    document = document.model_copy(update={"series": str(os.getpid())})
    folder = Path(HydraConfig.get().runtime.output_dir) / "baseline"
    folder.mkdir()
    (folder / "baseline.json").write_text(render_json(document))

from hydra.core.config_store import ConfigStore

ConfigStore.instance().store(name="app", node={
    "defaults": [{"override hydra/sweeper": "baseline_repeats"}, "_self_"],
    "fails": False, "work": {"factor": 1.0},
    "repeats": {"runs": 1, "warmup_runs": 0, "variant": None},
    "hydra": {"mode": "MULTIRUN", "sweep": {"dir": "out"}},
})
main()
"""


def run(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    application = folder / "app.py"
    application.write_text(APPLICATION)
    return subprocess.run(
        [sys.executable, str(application), *overrides],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "100"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_two_configurations_take_turns() -> None:
    names = [planned.name for planned in plan(3, ["x=1"], 1)]
    assert names == ["warmup-0", "a-0", "b-0", "b-1", "a-1", "a-2", "b-2"]
    assert [planned.name for planned in plan(2, None, 0)] == ["a-0", "a-1"]


def test_only_the_second_side_gets_the_variant() -> None:
    overrides = {planned.side: planned.overrides for planned in plan(2, ["x=1"], 1)}
    assert overrides == {"warmup": (), "a": (), "b": ("x=1",)}


@pytest.mark.parametrize(("runs", "warmup_runs"), [(0, 1), (3, -1)])
def test_nothing_to_run_is_refused(runs: int, warmup_runs: int) -> None:
    with pytest.raises(RepeatsError, match="nothing to repeat"):
        plan(runs, None, warmup_runs)


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("data.num_workers=2", "data.num_workers"),
        ("++model.k=3", "model.k"),
        ("~callbacks.early_stopping", "callbacks.early_stopping"),
        ("model=dbnet_resnet18", "model"),
        ("data/transforms@data.transforms=none", "data.transforms"),
    ],
)
def test_an_override_tells_which_field_differs_on_purpose(override: str, key: str) -> None:
    assert repeats.override_key(override) == key


def test_every_run_has_its_own_process_and_folder(tmp_path: Path) -> None:
    done = run(tmp_path, 'repeats.variant=["work.factor=1.5"]')
    assert done.returncode == 0, done.stderr
    assert "1 of 2: a-0 took" in done.stderr
    documents = [
        json.loads((tmp_path / "out" / name / "baseline" / "baseline.json").read_text())
        for name in ("a-0", "b-0")
    ]
    assert documents[0]["series"] != documents[1]["series"]
    assert "+50.0%" in done.stdout
    assert "ocr-baseline compare" in done.stdout
    record = json.loads((tmp_path / "out" / "repeats.json").read_text())
    assert [finished["name"] for finished in record["runs"]] == ["a-0", "b-0"]


def test_a_run_that_fails_ends_the_repeats_with_its_last_lines(tmp_path: Path) -> None:
    done = run(tmp_path, "fails=true")
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def finished(*canaries_s: float) -> list[FinishedRun]:
    return [
        FinishedRun(name=f"a-{i}", side="a", duration_s=1.0, canary_s=canary)
        for i, canary in enumerate(canaries_s)
    ]


def test_a_busy_machine_is_warned_of() -> None:
    warning = repeats.busy_warning(finished(0.1, 0.1, 0.15))
    assert warning is not None
    assert "50%" in warning
    assert "a-2" in warning
    assert repeats.busy_warning(finished(0.1, 0.105)) is None


def test_the_canary_takes_some_time() -> None:
    assert 0.001 < canary_s() < 30
