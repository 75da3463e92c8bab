"""The wheel, installed beside another distribution that ships a package called `ocr`.

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
import tarfile
import zipfile
from hashlib import sha256
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
"""Beginnings of names of what isn't linked: the extra `train`'s packages and our own."""

THEIR_DISTRIBUTION = {
    "pyproject.toml": (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "receipts"\nversion = "1.0"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["ocr"]\n'
    ),
    "ocr/__init__.py": "",
    "ocr/train.py": 'print("their training")\n',
    "ocr/lightning_modules/__init__.py": "",
    "ocr/lightning_modules/callbacks/__init__.py": "",
    "ocr/lightning_modules/callbacks/performance_profiler.py": "class PerformanceProfiler: ...\n",
}
OWN_OCR = {
    "ocr/__init__.py": "",
    "ocr/profiler.py": (
        "from pathlib import Path\n"
        "from lightning.pytorch import Callback\n"
        "class TheirProfiler(Callback):\n"
        "    def on_fit_end(self, trainer, pl_module):\n"
        '        (Path(trainer.default_root_dir) / "their_profile.txt").touch()\n'
    ),
    "configs/callbacks/performance_profiler.yaml": (
        "performance_profiler:\n  _target_: ocr.profiler.TheirProfiler\n"
    ),
}
"""A package and a config of the project with the names that this repository's pipeline has."""


def _run(*command: str | Path, cwd: Path, python_path: str | None = None) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if python_path is not None:
        kept["PYTHONPATH"] = python_path
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _pip(python: Path, command: str, *arguments: str | Path) -> None:
    pip = (sys.executable, "-m", "pip", "--python", str(python))
    _run(*pip, command, "--quiet", *arguments, cwd=python.parent)


def _install(python: Path, *wheels: Path) -> None:
    _pip(python, "install", "--no-index", "--no-deps", *wheels)


def _new_environment(folder: Path) -> Path:
    """Make an environment and return its interpreter."""
    _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    return folder / "bin" / "python"


def _packages_of(python: Path) -> Path:
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    return packages


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the source distribution and the wheel that was built from it."""
    pytest.importorskip("build", reason="the wheel is built with the package build")
    folder = tmp_path_factory.mktemp("distribution")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(distribution: Path) -> Path:
    (wheel,) = distribution.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def their_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of another project, with a package `ocr` and in it names that ours once had."""
    folder = _write(tmp_path_factory.mktemp("theirs"), THEIR_DISTRIBUTION)
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", folder, cwd=folder)
    (wheel,) = folder.glob("dist/*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, wheel: Path, their_wheel: Path) -> Path:
    """The interpreter of an environment with both wheels."""
    folder = tmp_path_factory.mktemp("other")
    interpreter, linked = _new_environment(folder / "venv"), folder / "linked"
    _install(interpreter, their_wheel, wheel)
    linked.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(LEFT_OUT):
            (linked / entry.name).symlink_to(entry)
    (_packages_of(interpreter) / "linked.pth").write_text(f"{linked}\n")
    return interpreter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def test_the_wheel_holds_the_package_and_its_plugin_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    homes = {"/".join(name.split("/")[:2]) for name in names if ".dist-info/" not in name}
    assert {home.split("/")[0] for home in homes} == {"ocr_baseline", "hydra_plugins"}
    assert {home for home in homes if home.startswith("hydra_plugins")} == {
        "hydra_plugins/ocr_baseline_plugin"
    }
    assert "ocr_baseline/py.typed" in names
    assert "ocr_baseline/hydra/configs/callbacks/baseline_report.yaml" in names


def test_the_source_distribution_holds_what_its_tests_need(distribution: Path) -> None:
    (source,) = distribution.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {"/".join(name.split("/")[1:]) for name in archive.getnames()}
    folders = {name.split("/")[0] for name in names if "/" in name}
    needed = {"ocr_baseline", "hydra_plugins", "ocr", "configs", "scripts", "benchmarks", "tests"}
    assert needed <= folders
    assert {"LICENSE", "README.md", "Makefile", "constraints.txt"} <= names
    assert not any(name.startswith((".venv", "outputs", "data/")) for name in names)


def test_the_environment_holds_the_wheel_and_nothing_of_the_receipt_pipeline(
    python: Path, tmp_path: Path
) -> None:
    code = (
        "import importlib.util, ocr_baseline; "
        "print(ocr_baseline.__file__, importlib.util.find_spec('timm'))"
    )

    where, timm = _run(python, "-c", code, cwd=tmp_path).split()

    assert Path(where).is_relative_to(python.parents[1])
    assert timm == "None"
    assert _run(python, "-m", "ocr.train", cwd=tmp_path) == "their training\n"


def test_no_file_of_a_distribution_with_a_package_ocr_changes(
    wheel: Path, their_wheel: Path, tmp_path: Path
) -> None:
    python = _new_environment(tmp_path / "venv")
    packages = _packages_of(python)
    _install(python, their_wheel)
    theirs = _hashes(packages)
    assert "ocr/lightning_modules/callbacks/performance_profiler.py" in theirs

    _install(python, wheel)
    assert theirs.items() <= _hashes(packages).items()
    assert (packages / "ocr_baseline").is_dir()

    _pip(python, "uninstall", "--yes", "ocr-baseline")
    assert _hashes(packages) == theirs


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


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


@pytest.mark.parametrize("override", ["callbacks=baseline_report", "+ocr_baseline=report"])
def test_a_project_with_a_package_ocr_and_a_profiler_of_its_own_loses_no_callback(
    python: Path, project: Path, override: str
) -> None:
    _write(project, OWN_OCR)
    default = project / "configs" / "callbacks" / "default.yaml"
    default.write_text(default.read_text().replace("_self_", "performance_profiler\n  - _self_"))

    _run(python, "src/train.py", override, cwd=project, python_path=".")

    (run,) = project.glob("logs/train/runs/*")
    assert (run / "their_profile.txt").is_file()
    assert list(run.glob("checkpoints/*.ckpt"))
    baseline = json.loads((run / "baseline" / "baseline.json").read_text(encoding="utf-8"))
    assert baseline["run"]["source"] == "recorder"
    shown = _run(python.with_name("ocr-baseline"), "show", run, cwd=project, python_path=".")
    assert "validation" in shown
