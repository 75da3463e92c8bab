"""The examples of docs/python_api.md run as they are written, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import ocr_baseline
from tests.ocr_baseline.recorded_runs import record
from tests.ocr_baseline.store_files import write_runs

PAGE = Path(__file__).parents[2] / "docs" / "python_api.md"


def test_the_examples_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    record(Path("outputs/demo"), "demo", 8)
    write_runs(Path("old"), 0)
    write_runs(Path("new"), 10, slower=0.1)
    Path("budgets.toml").write_text('[train.batch_time]\nmax = "1 ms"\n')
    names: dict[str, Any] = {}

    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, names)  # noqa: S102 - the page's own examples

    printed = capsys.readouterr().out
    for part in ("8 batches, median", "train.batch_time 0.0", "can't read nowhere"):
        assert part in printed
    assert names["outcome"].exit_status(strict=False) == 1


def test_the_page_names_all_that_the_package_promises() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [name for name in ocr_baseline.__all__ if f"`{name}" not in text] == []
