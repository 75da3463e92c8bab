"""Standard streams that were closed, are full, or have lost their reader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = f"'{sys.executable}' -m ocr_baseline.cli"


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["schema", "--help", "report --help"])
@pytest.mark.parametrize("stdout", [">&-", ">/dev/full"])
def test_a_stdout_that_cannot_be_written_is_one_line_and_exit_2(
    command: str, stdout: str, tmp_path: Path
) -> None:
    done = _run(f"{PROGRAM} {command} {stdout}", tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("ocr-baseline: error: ")


def test_a_reader_that_goes_away_is_exit_141_without_a_word(tmp_path: Path) -> None:
    done = _run(f"{PROGRAM} schema | true", tmp_path)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.slow
def test_without_stderr_the_result_is_the_same(tmp_path: Path) -> None:
    told = _run(f"{PROGRAM} schema", tmp_path).stdout
    done = _run(f"{PROGRAM} schema 2>&- <&-", tmp_path)
    assert (done.returncode, done.stdout) == (0, told)
    assert _run(f"{PROGRAM} show absent 2>&-", tmp_path).returncode == 2


@pytest.mark.slow
def test_a_file_that_is_written_gets_nothing_that_was_meant_for_a_closed_stream(
    tmp_path: Path,
) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,performance/val_epoch_time\n0,1.5\n")
    done = _run(f"{PROGRAM} report metrics.csv --output report.md >&- 2>&-", tmp_path)
    assert "Wrote" not in (tmp_path / "report.md").read_text()
    assert done.returncode == 0
