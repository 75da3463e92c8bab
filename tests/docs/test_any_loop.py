"""The examples of docs/any_loop.md run as they are written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.model.document import Baseline

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "any_loop.md"


@pytest.mark.parametrize(
    ("script", "folder", "phases"),
    [("plain.py", "run", ["train", "validation"]), ("with_fabric.py", "fabric", ["train"])],
)
def test_each_loop_ends_with_a_report(
    tmp_path: Path, script: str, folder: str, phases: list[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / script).write_text(next(b for b in blocks if b.startswith(f"# {script}\n")))

    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
    text = (tmp_path / "outputs" / folder / "baseline.json").read_text()
    baseline = Baseline.model_validate_json(text)
    assert [phase.name for phase in baseline.phases] == phases
    for phase in baseline.phases:
        assert "forward" in {line.name for line in phase.breakdown}
    assert not [entry for entry in baseline.missing if "breakdown" in entry.metric]
