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
@pytest.mark.parametrize("has_reader", [False, True])
def test_a_pipe_in_the_probes_place_holds_nobody_up_and_stays(
    has_reader: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_answer, "PATIENCE_S", 1e9)
    pipe = tmp_path / PROBE_NAME
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) if has_reader else None
    wait_for_answer(tmp_path / "records")
    assert pipe.is_fifo()
    if reader is not None:
        os.close(reader)


def test_a_link_in_the_probes_place_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / PROBE_NAME).symlink_to("elsewhere")
    wait_for_answer(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [PROBE_NAME]


def test_a_folder_that_hangs_is_waited_for_once_until_it_answers_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_answer, "PATIENCE_S", 0.05)
    hung, beside = tmp_path / "hung", tmp_path / "beside"
    hung.mkdir()
    beside.mkdir()
    answers = threading.Event()

    def wait_where_it_hangs(folder: Path) -> None:
        if folder == hung:
            answers.wait()

    monkeypatch.setattr(folder_answer, "try_to_write", wait_where_it_hangs)
    with pytest.raises(HungFolderError, match="has not answered for"):
        wait_for_answer(hung)
    for nested in (hung, hung / "records", tmp_path):
        with pytest.raises(HungFolderError, match="does not answer yet"):
            wait_for_answer(nested)
    wait_for_answer(beside)

    answers.set()
    for thread in threading.enumerate():
        if thread.name == "ocr-baseline-probe":
            thread.join()
    wait_for_answer(hung)
