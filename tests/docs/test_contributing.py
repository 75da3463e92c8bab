"""The recipes of CONTRIBUTING.md work: each is applied, as written, to a copy of the package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "tests" / "ocr_baseline" / "records" / "golden_run" / "finished"
RECIPES = [
    f"Adding a {what}" for what in ("source", "finding", "renderer", "report section", "command")
]
BLOCK = re.compile(r"^```(python|diff)\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.slow


def recipe(heading: str) -> list[tuple[str, str, str]]:
    """Return the kind, the file and the text of each block under a heading."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return BLOCK.findall(section)


def inserted(content: str, diff: str) -> str:
    """Return a file's content with a diff applied; what it finds there must stand there once."""
    lines = [(line[:1], line[1:]) for line in diff.splitlines(keepends=True)]
    before = "".join(text for sign, text in lines if sign != "+")
    assert content.count(before) == 1, f"not there exactly once:\n{before}"
    return content.replace(before, "".join(text for sign, text in lines if sign != "-"))


def apply(heading: str, project: Path) -> None:
    blocks = recipe(heading)
    assert blocks, f"no recipe under {heading!r}"
    for kind, name, text in blocks:
        file = project / name
        if kind == "python":
            assert not file.exists(), name
            file.write_text(text, encoding="utf-8")
        else:
            file.write_text(inserted(file.read_text(encoding="utf-8"), text), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the package, with a run of it."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "ocr_baseline", tmp_path / "ocr_baseline", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(RECORDS, tmp_path / "run" / "records")
    return tmp_path


def run(project: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(project)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project, env=environment, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def command_line(project: Path, *arguments: str) -> str:
    return run(project, "-m", "ocr_baseline.cli", *arguments)


@pytest.mark.parametrize("heading", RECIPES)
def test_what_a_recipe_adds_is_as_ruff_would_have_it(heading: str, project: Path) -> None:
    apply(heading, project)
    files = sorted({name for _, name, _ in recipe(heading) if name.endswith(".py")})
    run(project, "-m", "ruff", "check", *files)
    run(project, "-m", "ruff", "format", "--check", *files)


def test_a_source_is_read_by_its_prefix_and_by_its_files_name(project: Path) -> None:
    apply("Adding a source", project)
    row = {
        "epoch": 0,
        "step": 10,
        "performance/val_epoch_time": 2.5,
        "performance/val_num_batches": 10,
    }
    (project / "night.metrics.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")

    for place in ("jsonl:night.metrics.jsonl", "night.metrics.jsonl"):
        shown = command_line(project, "show", place)
        assert "night.metrics" in shown
        assert "2.5" in shown
        assert "metrics in a file of JSON lines" in " ".join(shown.split())


def test_a_finding_is_in_the_report_of_a_run_that_it_is_about(project: Path) -> None:
    apply("Adding a finding", project)
    catalogue = project / "ocr_baseline" / "analysis" / "findings" / "catalogue.py"
    lowered = catalogue.read_text().replace('limits={"medium": 0.5}', 'limits={"medium": 1e-9}')
    assert "Most of train was warm-up" not in command_line(project, "report", "run")

    catalogue.write_text(lowered)
    assert "Most of train was warm-up" in command_line(project, "report", "run")


def test_a_renderer_is_a_format_of_render(project: Path) -> None:
    apply("Adding a renderer", project)
    program = "from ocr_baseline import read, render; print(render(read('run'), 'line'))"
    assert re.match(r"train \S+ .?s per sample, validation", run(project, "-c", program))
    program = (
        "from typing import get_args; from ocr_baseline.reports import registry as r; "
        "formats = {*r.RUN, *r.COMPARISON, *r.CHECK}; "
        "print(formats.symmetric_difference(get_args(r.Format)))"
    )
    assert run(project, "-c", program).strip() == "set()"


def test_a_section_stands_in_the_report(project: Path) -> None:
    apply("Adding a report section", project)
    report = command_line(project, "report", "run")
    assert "<summary>Warm-up</summary>\n\n| Phase" in report
    assert re.search(r"^\| Training +\| +\d+ \|", report, re.MULTILINE)


def test_a_command_is_listed_and_takes_a_run(project: Path) -> None:
    apply("Adding a command", project)
    assert re.search(r"throughput +Print samples per second", command_line(project, "--help"))
    assert re.search(r"^train: \S+ samples/s$", command_line(project, "throughput", "run"), re.M)


def test_the_recipes_keep_the_import_contracts(project: Path) -> None:
    for heading in RECIPES:
        apply(heading, project)
    shutil.copytree(ROOT / "ocr", project / "ocr", ignore=shutil.ignore_patterns("__pycache__"))
    run(project, "-c", "from importlinter.cli import lint_imports_command as c; c()")
