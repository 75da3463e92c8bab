"""Whether a folder answers: a pipe that nobody reads holds whoever opens it to write."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ocr_baseline.measure import folder_answer
from ocr_baseline.measure.folder_answer import PROBE_NAME, HungFolderError, wait_for_answer


def test_a_folder_that_answers_is_left_as_it_was(tmp_path: Path) -> None:
    wait_for_answer(tmp_path / "not" / "there")
    wait_for_answer(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_fails_at_once_is_left_to_the_writer(tmp_path: Path) -> None:
    (tmp_path / PROBE_NAME).mkdir()
    wait_for_answer(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_folder_that_hangs_is_waited_for_once_until_it_answers_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_answer, "PATIENCE_S", 0.05)
    hung, beside = tmp_path / "hung", tmp_path / "beside"
    hung.mkdir()
    os.mkfifo(hung / PROBE_NAME)
    with pytest.raises(HungFolderError, match="has not answered for"):
        wait_for_answer(hung)
    for nested in (hung, hung / "records", tmp_path):
        with pytest.raises(HungFolderError, match="does not answer yet"):
            wait_for_answer(nested)
    wait_for_answer(beside)

    reader = os.open(hung / PROBE_NAME, os.O_RDONLY | os.O_NONBLOCK)
    for thread in threading.enumerate():
        if thread.name == "ocr-baseline-probe":
            thread.join()
    os.close(reader)
    wait_for_answer(hung)
    assert not list(hung.iterdir())
