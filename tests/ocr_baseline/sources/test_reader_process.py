"""A reader in a process of its own, and the patience with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ocr_baseline.sources.reader_process import Overdue, Patience, messages

if TYPE_CHECKING:
    from pathlib import Path


def _messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, silence_s: float
) -> list[object]:
    head = "import time\nfrom ocr_baseline.sources.reader_process import say, say_up\n"
    (tmp_path / "slow_reader.py").write_text(head + program)
    monkeypatch.syspath_prepend(tmp_path)
    return list(messages("slow_reader", [], os.environ, Patience(silence_s)))


def test_the_time_that_a_client_takes_to_be_up_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _messages(tmp_path, monkeypatch, "time.sleep(0.8)\nsay_up()\nsay('row', 1)\n", 0.5)

    assert found == [{"row": 1}]


def test_a_reader_that_is_up_and_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Overdue, match=r"nothing came for 0\.1 s"):
        _messages(tmp_path, monkeypatch, "say_up()\ntime.sleep(60)\n", 0.1)
