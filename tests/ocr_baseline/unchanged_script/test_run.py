"""`ocr-baseline run` of a script that is as its author left it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from ocr_baseline.api import read
from ocr_baseline.unchanged_script.factory import callbacks
from ocr_baseline.unchanged_script.request import Request, request
from tests.ocr_baseline.repositories import committed, git

SCRIPT = Path(__file__).with_name("plain_script.py")
GROUPS = ("lightning.pytorch.callbacks_factory", "pytorch_lightning.callbacks_factory")


def started(
    repository: Path, folder: Path, *how: str, options: tuple[str, ...] = ()
) -> subprocess.Popen[str]:
    run = [sys.executable, "-m", "ocr_baseline.cli", "run", *options, "--"]
    return subprocess.Popen(
        [*run, sys.executable, str(SCRIPT), *how],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.mark.slow
def test_a_script_that_names_no_callback_ends_with_its_baseline_and_its_own_status(
    repository: Path, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q")
    commit = committed(tmp_path, "first")
    process = started(repository, tmp_path, "plain")
    _, beside_the_scripts_output = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "Report: baseline/baseline.html" in beside_the_scripts_output
    found = read(tmp_path / "baseline")
    assert [(phase.name, phase.batches) for phase in found.phases] == [("train", 48)]
    known = found.environment.known
    assert (known.git_commit, known.git_dirty) == (commit, False)


@pytest.mark.slow
def test_a_script_that_has_the_callbacks_keeps_its_own_and_hears_nothing_of_others(
    repository: Path, tmp_path: Path
) -> None:
    process = started(repository, tmp_path, "own", "own")
    _, errors = process.communicate(timeout=120)
    assert (tmp_path / "own" / "baseline.html").is_file()
    assert not (tmp_path / "baseline").exists()
    assert "take one out" not in errors


@pytest.mark.slow
def test_repeated_runs_are_found_wherever_the_callbacks_of_a_script_write(
    repository: Path, tmp_path: Path
) -> None:
    options = ("--repeat", "1", "--wait", "0")
    process = started(repository, tmp_path, "own", "elsewhere", options=options)
    out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "1 run: a-0" in out
    assert {path.name for path in tmp_path.iterdir()} == {"trials"}


@pytest.mark.slow
def test_a_script_without_a_trainer_is_told_that_there_is_nothing_to_report(
    repository: Path, tmp_path: Path
) -> None:
    process = started(repository, tmp_path, "without")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "made no Trainer, so there is nothing to report" in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_signal_to_the_command_ends_the_script_which_still_has_its_report(
    repository: Path, tmp_path: Path
) -> None:
    process = started(repository, tmp_path, "waits")
    assert process.stdout is not None
    assert process.stdout.readline() == "training\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert read(tmp_path / "baseline").run.status == "interrupted"


def run_shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    run = f"{sys.executable} -m ocr_baseline.cli run --"
    return subprocess.run(
        ["bash", "-c", line.replace("RUN", run)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.slow
def test_what_the_shell_opened_is_open_for_the_command(tmp_path: Path) -> None:
    process = run_shell("RUN cat <(echo from a pipe) 3>log", tmp_path)
    assert (process.returncode, process.stdout) == (0, "from a pipe\n")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_command_ends_with_its_status_where_signals_of_children_are_ignored(
    tmp_path: Path,
) -> None:
    ignored = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    command = "import signal, sys; sys.exit(3 + signal.getsignal(signal.SIGCHLD))"
    run = [sys.executable, "-m", "ocr_baseline.cli", "run", "--"]
    process = subprocess.run(
        [
            *[sys.executable, "-c", f"{ignored}; os.execv(sys.argv[1], sys.argv[1:])"],
            *[*run, sys.executable, "-c", command],
        ],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 3 + signal.SIG_IGN


@pytest.mark.slow
def test_a_command_runs_where_nothing_can_be_written(tmp_path: Path) -> None:
    process = run_shell(
        'mkdir gone && cd gone && rmdir "$PWD" && RUN echo ran', tmp_path, TMPDIR="/nowhere"
    )
    assert (process.returncode, process.stdout) == (0, "ran\n")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_command_that_a_signal_ended_is_seen_to_be_ended_by_it(tmp_path: Path) -> None:
    """A shell stops its loop, and xargs goes no further, where a signal ended a command."""
    once = "echo $0; kill -TERM $$"
    process = run_shell(f"echo a b | xargs -n1 RUN bash -c '{once}'", tmp_path)
    assert (process.returncode, process.stdout) == (125, "a\n")
    once = "echo $0; kill -INT $$"
    process = run_shell(f"RUN bash -c '{once}' a; echo $?", tmp_path)
    assert process.stdout == "a\n130\n"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["USR2", "ALRM", "ABRT", "RTMIN", "IO"])
def test_any_signal_that_someone_sends_reaches_the_command(tmp_path: Path, name: str) -> None:
    command = f"trap 'exit 7' {name}; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [sys.executable, "-m", "ocr_baseline.cli", "run", "--", "bash", "-c", command],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(getattr(signal, f"SIG{name}"))
    process.communicate(timeout=60)
    assert process.returncode == 7


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("leaves", [False, True], ids=["in our group", "in one of its own"])
def test_a_signal_to_everyone_reaches_the_command_once(tmp_path: Path, *, leaves: bool) -> None:
    counts = """import os, signal, sys, time
if sys.argv[1] == "True":
    os.setpgid(0, 0)
came = []
signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
print("ready", flush=True)
until = time.monotonic() + 4
while time.monotonic() < until:
    time.sleep(0.005)
print(len(came))
"""
    process = subprocess.Popen(
        [
            *[sys.executable, "-m", "ocr_baseline.cli", "run", "--"],
            *[sys.executable, "-c", counts, str(leaves)],
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(10):  # two that come at the same moment are one
        os.killpg(process.pid, signal.SIGTERM)  # as `timeout` and schedulers do
        time.sleep(0.2)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "10\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what Linux alone offers")
def test_a_command_does_not_go_on_alone_where_the_one_who_waits_for_it_is_killed(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen(
        [
            *[sys.executable, "-m", "ocr_baseline.cli", "run", "--"],
            *["bash", "-c", "echo $$; exec sleep 60"],
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    out, _ = process.communicate(timeout=10)  # its end, once nobody holds the pipe
    assert out == b""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="scripts of a shell")
def test_a_script_that_names_no_interpreter_runs_as_it_does_in_a_shell(tmp_path: Path) -> None:
    script = tmp_path / "train.sh"
    script.write_text('echo "$0" "$1"\n', encoding="utf-8")
    assert run_shell("RUN ./train.sh 'a b'", tmp_path).returncode == 126
    script.chmod(0o755)
    process = run_shell("RUN ./train.sh 'a b'", tmp_path)
    assert (process.returncode, process.stdout) == (0, "./train.sh a b\n")


def test_a_command_that_cannot_be_started_is_one_line_and_status_127(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "ocr_baseline.cli", "run", "--", "no-such-command"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert process.returncode == 127
    assert process.stderr == (
        "ocr-baseline: can't start no-such-command: No such file or directory\n"
    )


@pytest.mark.parametrize("group", GROUPS)
def test_lightning_finds_the_factory(group: str) -> None:
    (found,) = (one for one in entry_points(group=group) if one.name == "ocr_baseline")
    assert found.load() is callbacks


def test_a_trainer_that_nobody_asked_about_gets_no_callback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OCR_BASELINE", raising=False)
    assert callbacks() == []


def test_a_request_passes_through_the_environment(tmp_path: Path) -> None:
    asked = Request(
        output_dir=tmp_path, operations=("a.b", "c.d"), sampling_hz=0.0, seen=tmp_path / "seen"
    )
    assert request(asked.environment()) == asked
    assert request({}) is None


def test_a_request_that_cannot_be_met_is_a_warning_and_no_callback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OCR_BASELINE", "1")
    monkeypatch.setenv("OCR_BASELINE_SAMPLING_HZ", "often")
    with pytest.warns(UserWarning, match="No performance baseline of this run"):
        assert callbacks() == []
