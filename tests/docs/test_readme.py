"""The Python examples of README.md run as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.ocr_baseline.recorded_runs import record
from tests.ocr_baseline.store_files import write_runs

PAGE = Path(__file__).parents[2] / "README.md"


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_of_the_python_api_reads_renders_and_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    record(Path("outputs/demo"), "demo", 8)
    write_runs(Path("runs/old"), 0)
    write_runs(Path("runs/new"), 10, slower=0.1)
    (block,) = [text for text in examples() if "ob.compare" in text]
    names: dict[str, Any] = {}

    exec(block, names)  # noqa: S102 - the page's own example

    assert "# Performance Baseline Report" in capsys.readouterr().out
    assert names["slowest"]["total_s"] > 0
    assert names["comparison"].with_verdict("regression")


def test_every_public_name_of_the_examples_is_there() -> None:
    imports = [line for text in examples() for line in text.splitlines() if "import" in line]
    for line in imports:
        exec(line, {})  # noqa: S102 - an import statement of the page
    assert len(imports) >= 3
