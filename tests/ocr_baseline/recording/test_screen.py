from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import pytest

from ocr_baseline.recording.screen import show_report, show_unreported
from ocr_baseline.write import ReportFiles
from tests.ocr_baseline.examples import full_baseline

needs_pipes = pytest.mark.skipif(os.name == "nt", reason="looks at POSIX pipes")


def report(folder: Path, earlier: Path | None = None) -> ReportFiles:
    return ReportFiles(
        baseline=full_baseline(),
        folder=folder,
        html=folder / "baseline.html",
        markdown=folder / "baseline.md",
        json=folder / "baseline.json",
        metrics_csv=folder / "metrics.csv",
        series_csv=None,
        earlier=earlier,
    )


@contextmanager
def stderr_in_pipe() -> Iterator[tuple[int, TextIO]]:
    """Yield what reads stderr, and stderr, which is a pipe meanwhile."""
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w", encoding="utf-8")
    before, sys.stderr = sys.stderr, stream  # pytest takes it back between a fixture and a test
    try:
        yield reader, stream
    finally:
        sys.stderr = before
        stream.close()


def fill(descriptor: int) -> int:
    """Write until there is no more room, and return how much."""
    full = 0
    os.set_blocking(descriptor, False)
    with suppress(BlockingIOError):
        while True:
            full += os.write(descriptor, b"x" * 4096)
    os.set_blocking(descriptor, True)
    return full


def printed(pipe: tuple[int, TextIO]) -> str:
    reader, stream = pipe
    stream.close()
    with os.fdopen(reader, "rb") as file:
        return file.read().decode()


@needs_pipes
def test_the_answer_stands_below_what_the_training_printed_with_the_path_and_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with stderr_in_pipe() as pipe:
        print("epoch 1 is over", file=sys.stderr)
        show_report(report(tmp_path / "my run"))
    lines = printed(pipe).splitlines()
    assert lines[:3] == ["epoch 1 is over", "", "Performance baseline of receipts-640"]
    assert lines[3].startswith("The metric takes 46% of validation; fixing it would save 14.0%")
    assert lines[-2:] == ["Report: my run/baseline.html", "Next: ocr-baseline show 'my run'"]


@needs_pipes
def test_the_place_of_the_report_that_was_there_before_stands_beside_that_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with stderr_in_pipe() as pipe:
        show_report(report(tmp_path / "run", earlier=tmp_path / "run" / "earlier" / "noon"))
    assert "Report: run/baseline.html; the earlier one: run/earlier/noon\n" in printed(pipe)


@needs_pipes
def test_nobody_who_reads_is_no_error_now_or_at_exit(
    tmp_path: Path,
) -> None:
    with stderr_in_pipe() as (reader, stream):
        os.close(reader)
        show_report(report(tmp_path))
        stream.flush()  # what the interpreter does at exit


@needs_pipes
def test_nobody_who_reads_does_not_end_a_process_that_dies_of_broken_pipes(
    tmp_path: Path,
) -> None:
    with stderr_in_pipe() as (reader, _):
        os.close(reader)
        before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            show_report(report(tmp_path))
        finally:
            signal.signal(signal.SIGPIPE, before)


@needs_pipes
def test_a_full_pipe_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocr_baseline.recording.screen.PATIENCE_MS", 1)
    with stderr_in_pipe() as pipe:
        full = fill(pipe[1].fileno())
        show_report(report(tmp_path))
    assert printed(pipe) == "x" * full


def test_a_notebook_gets_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    notebook = kind()
    monkeypatch.setattr("sys.stdout", notebook)
    show_report(report(tmp_path))
    assert "Performance baseline of receipts-640" in notebook.getvalue()


@needs_pipes
def test_a_terminal_gets_the_text(tmp_path: Path) -> None:
    reader, terminal = os.openpty()
    before, sys.stdout = sys.stdout, os.fdopen(terminal, "w", encoding="utf-8")
    try:
        show_report(report(tmp_path))
        assert b"Performance baseline" in os.read(reader, 4096)
    finally:
        sys.stdout.close()
        sys.stdout = before
        os.close(reader)


def test_what_reads_a_programs_stdout_gets_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_a_program, beside_it = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stdout", for_a_program)
    monkeypatch.setattr("sys.stderr", beside_it)
    show_report(report(tmp_path))
    assert for_a_program.getvalue() == ""
    assert "Performance baseline of receipts-640" in beside_it.getvalue()


@pytest.mark.parametrize("stream", [None, object()])
def test_a_stream_that_is_none_or_breaks_harms_nothing(
    stream: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr("sys.stderr", stream)
    show_report(report(tmp_path))


def test_a_character_that_the_screen_lacks_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    stream = type("Ascii", (io.TextIOWrapper,), {})(buffer, encoding="ascii")
    monkeypatch.setattr("sys.stderr", stream)
    show_unreported("Пауза", "show", tmp_path)
    assert b"No report: ?????" in buffer.getvalue()


def test_a_run_that_could_not_be_reported_says_so_and_what_to_run_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    show_unreported("OSError: No space left on device", "report --run-dir", tmp_path / "baseline")
    assert capsys.readouterr().err.splitlines() == [
        "",
        "Performance baseline",
        "No report: OSError: No space left on device",
        "Next: ocr-baseline report --run-dir baseline",
    ]
