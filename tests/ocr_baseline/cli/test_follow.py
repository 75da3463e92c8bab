"""`ocr-baseline show --follow`: a run that is going on, from its records."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_baseline.cli import follow, main
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.places import Reading
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.examples import full_baseline

GOLDEN = Path(__file__).parents[1] / "records" / "golden_run"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def begun(folder: Path) -> Recorder:
    recorder = Recorder(folder, clock=iter(range(10**9, 10**13, 10**6)).__next__)
    recorder.write_header({"run": {"name": "a run"}})
    recorder.resume()
    recorder.open_stage(Stage.TRAIN, 0)
    return recorder


def train(recorder: Recorder, batches: int, *, first: int = 0) -> None:
    for batch_idx in range(first, first + batches):
        recorder.begin_fetch()
        recorder.end_fetch()
        recorder.begin_batch(batch_idx, 0, 4)
        recorder.finish_batch()
    recorder.begin_fetch()
    recorder.flush()


def followed(folder: Path, *steps: Callable[[], None]) -> None:
    """Follow a run in which each wait for the next look does one step, and the last is Ctrl-C."""
    left = list(steps)

    def wait(_: float) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    follow.follow(folder, Reading(), wait)


def test_the_view_of_a_run_that_has_ended_is_one_line_and_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(GOLDEN / "finished", tmp_path / "run" / "records")
    assert main(["show", "--follow"]) == 0
    line, verdict = capsys.readouterr().out.splitlines()
    assert line.startswith("finished after ")
    assert "training went to " in line
    assert verdict


def test_a_name_in_the_verdict_has_no_backticks_on_a_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(GOLDEN / "finished", tmp_path / "run" / "records")
    monkeypatch.setattr("ocr_baseline.reports.story.verdict.verdict", lambda _: "`f` takes long.")
    assert main(["show", "--follow"]) == 0
    assert capsys.readouterr().out.endswith("\nf takes long.\n")


def test_a_line_is_printed_as_the_epoch_changes_and_ctrl_c_ends_the_view_quietly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = begun(tmp_path)
    train(recorder, 2)
    followed(tmp_path, lambda: train(recorder, 3, first=2), lambda: None)
    recorder.close()
    shown = capsys.readouterr()
    first, early = shown.out.splitlines()
    assert first.startswith("training, epoch 0, 2 batches, ")
    assert "samples/s" in first
    assert early == "An early verdict follows after 50 steady batches."
    assert shown.err == ""


def test_an_early_verdict_comes_once_with_fifty_steady_batches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = begun(tmp_path)
    train(recorder, 51)
    followed(
        tmp_path,
        lambda: train(recorder, 20, first=51),
        lambda: train(recorder, 20, first=71),
        lambda: None,
    )
    recorder.close()
    verdicts = [line for line in capsys.readouterr().out.splitlines() if line.startswith("After")]
    assert len(verdicts) == 1
    assert " steady batches: " in verdicts[0]


def test_a_run_that_was_killed_long_ago_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(GOLDEN / "killed", tmp_path / "run")
    os.utime(tmp_path / "run" / "rank_0.jsonl", (1000, 1000))
    assert main(["show", "--follow", "run"]) == 0
    assert "nothing was written for 10 min" in capsys.readouterr().err


def test_a_document_cannot_be_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "baseline.json").write_text(render_json(full_baseline()), encoding="utf-8")
    assert main(["show", "--follow", "baseline.json"]) == 2
    assert "--follow needs a folder with the profiler's records" in capsys.readouterr().err


@pytest.mark.slow
def test_on_a_terminal_the_view_has_a_bar_for_each_line(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "finished", tmp_path / "run")
    ours, theirs = pty.openpty()
    code = "from ocr_baseline.cli import main; raise SystemExit(main(['show', '--follow', 'run']))"
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([sys.executable, "-c", code], stdout=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert process.returncode == 0
    assert "█" in shown.decode()
    assert b"op:augment" in shown


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other end was closed
        return b""
