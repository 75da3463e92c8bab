"""The examples of docs/other_projects.md run as they are written."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "other_projects.md"
TIMEOUT_S = 120


def example(file_name: str) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return next(block for block in blocks if block.startswith(f"# {file_name}\n"))


def shell_command(file_name: str) -> list[str]:
    blocks: list[str] = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)
    command = next(block for block in blocks if f"python {file_name}" in block)
    words = shlex.split(command.replace("\\\n", " "))
    return [sys.executable, *words[1:]]


def run(command: list[str], folder: Path) -> tuple[dict[str, object], str]:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document: dict[str, object] = json.loads((folder / "baseline" / "baseline.json").read_text())
    return document, done.stderr


def test_the_lightning_script_ends_with_a_baseline_that_names_its_section(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(example("script.py"))
    document, shown = run([sys.executable, "script.py"], tmp_path)
    names = {operation["name"] for operation in document["operations"]}  # type: ignore[attr-defined]
    assert names == {"features", "torch.nn.functional.mse_loss"}
    assert shown.count("Report: baseline/baseline.") == 1
    assert "\nNext: ocr-baseline show baseline\n" in shown


def test_the_lightning_cli_takes_both_callbacks(tmp_path: Path) -> None:
    pytest.importorskip("jsonargparse")
    (tmp_path / "cli.py").write_text(example("cli.py"))
    document, _ = run(shell_command("cli.py"), tmp_path)
    assert [phase["name"] for phase in document["phases"]] == ["train"]  # type: ignore[attr-defined]
