"""`ocr-baseline run` with --repeat and --against, with small programs in place of trainings."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ocr_baseline.trials.scripts import REPOSITORY, script

pytestmark = pytest.mark.slow


def started(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ocr_baseline.cli", "run", "--wait", "0", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    process = started(folder, *arguments, **environment)
    out, errors = process.communicate(timeout=120)
    return process.returncode, out, errors


def test_repeated_runs_end_with_how_much_they_differ_and_are_kept(tmp_path: Path) -> None:
    status, out, errors = run(tmp_path, "--repeat", "2", "--into", "main", "--", *script(tmp_path))
    assert status == 0, errors
    assert "2 runs: a-0, a-1" in out
    assert "train: median batch" in out
    assert "2 of 3: a-0 took" in errors
    assert len(list((tmp_path / "baselines" / "main").glob("*.json"))) == 2


def test_another_command_that_is_slower_ends_with_the_status_of_a_regression(
    tmp_path: Path,
) -> None:
    command = script(tmp_path)
    other = shlex.join(["env", "FACTOR=1.5", *command])
    status, out, errors = run(tmp_path, "--against", other, "--", *command)
    assert status == 1, errors
    assert out.startswith(f"a: {shlex.join(command)}\nb: {other}\n\nRegression")
    assert "+50" in out
    assert "11 of 11: b-4" in errors or "11 of 11: a-4" in errors
    assert "ocr-baseline compare" in errors


def test_too_few_runs_that_end_well_are_an_error_with_what_to_do(tmp_path: Path) -> None:
    good, bad = script(tmp_path), ["sh", "-c", "echo no space left; exit 7"]
    status, out, errors = run(tmp_path, "--repeat", "3", "--against", shlex.join(bad), "--", *good)
    assert (status, out) == (2, "")
    assert "b-0 doesn't count: it exited with status 7\n  no space left\n" in errors
    last = errors.splitlines()[-1]
    assert last.startswith("ocr-baseline: error: 0 of 2 runs of b ended well")
    assert last.endswith("b-0/output.log, and repeat when it works")


def test_runs_of_before_are_left_as_they_are(tmp_path: Path) -> None:
    command = script(tmp_path)
    for folder in ("trials", "trials-2"):
        assert run(tmp_path, "--repeat", "1", "--", *command)[0] == 0
        assert (tmp_path / folder / "a-0" / "output.log").is_file()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_a_signal_ends_the_command_and_keeps_what_has_run(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    # The warm-up works, the first run that counts waits for ever.
    waits = f"echo $$ > {ready}; exec sleep 600"
    works = shlex.join(script(tmp_path))
    line = f"case $OCR_BASELINE_TRIAL in */warmup-0) {works};; *) {waits};; esac"
    process = started(tmp_path, "--repeat", "3", "--", "sh", "-c", line)
    child = int(ready.read_text())
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert (tmp_path / "trials" / "warmup-0" / "baseline" / "baseline.json").is_file()
    if number == signal.SIGINT:
        assert "Stopped; the runs that ended are kept in" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--into", "main"], "--into keeps repeated runs: add --repeat"),
        (["--against", "a 'b"], "--against isn't a command: No closing quotation"),
        (["--against", ""], "--against needs a command"),
        (["--repeat", "2", "--into", "../x"], "can't name a baseline"),
    ],
)
def test_what_cannot_be_is_told_before_anything_runs(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    status, _, errors = run(tmp_path, *arguments, "--", "touch", "ran")
    assert status == 2
    assert message in errors
    assert not (tmp_path / "ran").exists()
