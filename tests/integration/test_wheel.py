"""The wheel, installed into another project's environment without the extra `train`.

The environment is fresh, but what the wheel depends on is not installed again: it is linked from
the environment that runs the tests, except the packages of the receipt pipeline. So this shows
that the wheel holds all it needs and runs without those packages, not that pip resolves its
dependencies.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).with_name("template_project")
LEFT_OUT = (
    "cv2",
    "fontpkg",
    "hydra_plugins",
    "ocr",
    "opencv",
    "PIL",
    "pillow",
    "pyclipper",
    "shapely",
    "timm",
    "torchvision",
)
"""What names of packages begin with that belong to the extra `train`, and our own, if installed."""

pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel."""
    pytest.importorskip("build", reason="the wheel is built with the package build")
    folder = tmp_path_factory.mktemp("other")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    environment, linked = folder / "venv", folder / "linked"
    _run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=folder)
    interpreter = environment / "bin" / "python"
    _run(
        sys.executable, "-m", "pip", "--python", interpreter, "install", "--quiet", "--no-index",
        "--no-deps", wheel, cwd=folder,
    )  # fmt: skip
    linked.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(LEFT_OUT):
            (linked / entry.name).symlink_to(entry)
    (own,) = environment.glob("lib/python*/site-packages")
    (own / "linked.pth").write_text(f"{linked}\n")
    return interpreter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def test_the_environment_holds_the_wheel_and_nothing_of_the_receipt_pipeline(
    python: Path, tmp_path: Path
) -> None:
    code = "import importlib.util as u, ocr; print(ocr.__file__, u.find_spec('timm'))"

    where, timm = _run(python, "-c", code, cwd=tmp_path).split()

    assert Path(where).is_relative_to(python.parents[1])
    assert timm == "None"


@pytest.mark.parametrize(
    "override", ["callbacks=baseline_report", "callbacks=[default,baseline_report]"]
)
def test_a_project_like_lightning_hydra_template_gets_its_baseline_by_an_override(
    python: Path, project: Path, override: str
) -> None:
    _run(python, "src/train.py", override, cwd=project)

    (run,) = project.glob("logs/train/runs/*")
    document = json.loads((run / "baseline" / "baseline.json").read_text(encoding="utf-8"))
    assert document["run"]["status"] == "finished"
    assert document["run"]["source"] == "recorder"
    batches = {phase["name"]: phase["batches"] for phase in document["phases"]}
    assert batches == {"train": 16, "validation": 16}
    assert document["workload"]["config"]["model"]["lr"] == 0.01
    # The project's own default callbacks are still there.
    assert list(run.glob("checkpoints/*.ckpt"))
    shown = _run(python.with_name("ocr-baseline"), "show", run, cwd=project)
    assert "validation" in shown


def test_without_the_override_the_project_runs_as_before(python: Path, project: Path) -> None:
    _run(python, "src/train.py", cwd=project)

    (run,) = project.glob("logs/train/runs/*")
    assert not (run / "baseline").exists()
    assert list(run.glob("checkpoints/*.ckpt"))
