"""The hosted workflow, the git hooks and .ci/run call make targets and programs that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
SOURCE = "ocr_baseline/errors.py"
"""Any file of the package; hooks are given the names of the files that are committed."""


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def parsed(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def hooks() -> list[dict[str, Any]]:
    (repository,) = parsed(HOOKS)["repos"]
    found: list[dict[str, Any]] = repository["hooks"]
    return found


def commands_of(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_workflow_checks_each_push_and_tests_each_pull_request_with_make_alone() -> None:
    jobs = parsed(WORKFLOW)["jobs"]
    assert commands_of(jobs["check"]) == ["make setup", "make check"]
    assert "push" in jobs["check"]["if"]
    assert commands_of(jobs["test"]) == ["make setup", "make ci"]
    assert "pull_request" in jobs["test"]["if"]
    # YAML 1.1 reads the key `on` as true.
    assert set(parsed(WORKFLOW)[True]) == {"push", "pull_request"}


def test_the_workflow_runs_python_versions_that_the_package_supports() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    supported = set(re.findall(r"Python :: (3\.\d+)", project))
    versions = parsed(WORKFLOW)["jobs"]["check"]["strategy"]["matrix"]["python"]
    assert set(versions) <= supported
    assert min(versions, key=lambda version: int(version[2:])) == "3.10"


@pytest.mark.parametrize("path", [WORKFLOW, HOOKS, ROOT / ".ci" / "run"], ids=lambda p: p.name)
def test_every_make_target_that_is_called_exists(path: Path) -> None:
    called = set(re.findall(r"\bmake ([a-z]+)$", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert called
    assert called <= make_targets()


def test_the_hooks_use_the_projects_own_tools_and_download_nothing() -> None:
    (repository,) = parsed(HOOKS)["repos"]
    assert repository["repo"] == "local"
    for hook in hooks():
        assert hook["language"] == "system", "pre-commit would build an environment"
        assert hook["entry"].startswith((".venv/bin/", "make ")), hook


def test_the_hooks_pass_on_a_file_of_the_package() -> None:
    """Those of a commit that take seconds; mypy and `make check` are targets tested above."""
    for hook in hooks():
        program, *arguments = hook["entry"].split()
        if not program.startswith(".venv/bin/"):
            continue
        found = shutil.which(Path(program).name, path=str(Path(sys.executable).parent))
        assert found is not None, program
        files = [SOURCE] if hook.get("pass_filenames", True) else []
        done = subprocess.run(
            [found, *arguments, *files], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_pre_commit_accepts_the_configuration() -> None:
    clientlib = pytest.importorskip("pre_commit.clientlib")
    assert clientlib.load_config(str(HOOKS))["repos"]


def test_a_make_target_of_each_name_is_listed_by_help() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^make ([a-z]+)", listed, re.MULTILINE)) == make_targets()
