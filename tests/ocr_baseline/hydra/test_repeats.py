"""Repeats in fresh processes, with a small Hydra application in place of a training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.hydra.repeats import configurations

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
    "repeats": {"runs": 1, "warmup_runs": 0, "variant": None, "wait_s": 0},
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


def test_only_the_second_configuration_gets_the_variant() -> None:
    a, b = configurations(["python", "app.py"], ["x=1"], ["y=2"])
    assert [argument for argument in b.command if argument not in a.command] == ["y=2"]
    assert [arm.name for arm in configurations(["python", "app.py"], [], [])] == ["a"]


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
    record = json.loads((tmp_path / "out" / "trials.json").read_text())
    assert [finished["folder"] for finished in record["runs"]] == ["a-0", "b-0"]


def test_where_all_runs_fail_the_last_lines_of_their_output_are_shown(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "fails=true")
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
