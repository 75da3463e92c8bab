"""A reader in a process of its own, and the patience with it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from ocr_baseline.sources.reader_process import Overdue, Patience, messages

if TYPE_CHECKING:
    from pathlib import Path


def _messages(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    silence_s: float = 1.0,
    until_s: float | None = None,
) -> list[object]:
    head = "import time\nfrom ocr_baseline.sources.reader_process import say, say_up\n"
    (tmp_path / "slow_reader.py").write_text(head + program)
    monkeypatch.syspath_prepend(tmp_path)
    return list(messages("slow_reader", [], os.environ, Patience(silence_s, until_s=until_s)))


@pytest.mark.slow
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


def test_a_client_that_is_not_up_when_all_must_be_over_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Overdue, match="its client wasn't up within"):
        _messages(tmp_path, monkeypatch, "time.sleep(60)\n", until_s=time.monotonic() + 0.5)


@pytest.mark.slow
def test_rows_that_still_come_when_all_must_be_over_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "say_up()\nwhile True:\n    say('row', 1)\n    time.sleep(0.01)\n"
    with pytest.raises(Overdue):
        _messages(tmp_path, monkeypatch, endless, until_s=time.monotonic() + 1.0)


@pytest.mark.slow
def test_a_process_that_a_client_leaves_behind_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import pathlib, subprocess\nsay_up()\nchild = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
    )
    try:
        with pytest.raises(Overdue, match="nothing came"):
            _messages(tmp_path, monkeypatch, program)
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
