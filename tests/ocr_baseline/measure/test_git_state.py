"""What git tells of a repository; its process starts only where nobody would hear of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ocr_baseline.measure.git_state import GIT_TIMEOUT_S, GitState, git_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", "-C", folder, *settings, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "-q", "-b", "main")
    committed(project, "first")
    return project


def committed(folder: Path, text: str) -> str:
    (folder / "file").write_text(text)
    git(folder, "add", "file")
    git(folder, "commit", "-q", "-m", text)
    return git(folder, "rev-parse", "HEAD")


def alone(folder: Path, timeout_s: float = GIT_TIMEOUT_S, before: str = "") -> GitState:
    """Return the state that a process tells which has no other thread, as a test's may have."""
    code = (
        "import json, sys; from pathlib import Path; from ocr_baseline.measure import git_state\n"
        "git_state.GIT_TIMEOUT_S = float(sys.argv[2])\n"
        f"{before}\n"
        "print(json.dumps(git_state.git_state(Path(sys.argv[1]))))\n"
        "import os; os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folder, str(timeout_s)], capture_output=True, text=True
    )
    assert "ChildProcessError" in done.stderr  # there is no child left, ended or not
    return GitState(*json.loads(done.stdout))


@pytest.fixture
def another_thread() -> Iterator[None]:
    """A thread of the program's, which may wait for any child."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    yield
    end.set()
    thread.join()


@pytest.fixture
def calls(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often a `git` that notes its calls has been started; it fails."""
    folder = project.parent / "bin"
    folder.mkdir()
    noted = project.parent / "calls"
    (folder / "git").write_text(f"#!/bin/sh\necho call >> '{noted}'\nexit 1\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return lambda: len(noted.read_text().splitlines()) if noted.exists() else 0


def test_files_that_were_changed_since_the_commit_are_told(project: Path) -> None:
    commit = git(project, "rev-parse", "HEAD")
    (project / "not added").touch()
    assert alone(project) == GitState(commit, is_dirty=False)

    (project / "file").write_text("changed")
    assert alone(project) == GitState(commit, is_dirty=True)


def test_git_is_asked_without_writing_to_the_repository(project: Path) -> None:
    os.utime(project / "file", (1, 1))  # git would refresh its index
    index = project / ".git" / "index"
    before = index.read_bytes()

    assert alone(project).is_dirty is False
    assert index.read_bytes() == before


def test_a_mock_of_the_programs_own_calls_sees_none_of_ours(project: Path) -> None:
    state = alone(project, before="import subprocess; subprocess.run = None")
    assert state.is_dirty is False


def detached(project: Path) -> Path:
    git(project, "checkout", "-q", "--detach")
    return project


def packed(project: Path) -> Path:
    git(project, "tag", "-a", "-m", "peeled", "first")  # its line is followed by one with ^
    git(project, "branch", "group/other")
    git(project, "pack-refs", "--all")
    return project


def below(project: Path) -> Path:
    folder = project / "source" / "package"
    folder.mkdir(parents=True)
    return folder


def worktree(project: Path) -> Path:
    folder = project.parent / "beside"
    git(project, "worktree", "add", "-q", "-b", "beside", str(folder))
    committed(folder, "beside")
    return folder


def packed_worktree(project: Path) -> Path:
    folder = worktree(project)
    git(project, "pack-refs", "--all")
    return folder


def submodule(project: Path) -> Path:
    outer = project.parent / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(project), "inner")
    return outer / "inner"


def sha256(project: Path) -> Path:
    folder = project.parent / "sha256"
    folder.mkdir()
    git(folder, "init", "-q", "--object-format=sha256")
    committed(folder, "first")
    return folder


def symbolic(project: Path) -> Path:
    git(project, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    git(project, "symbolic-ref", "HEAD", "refs/heads/alias")
    return project


@pytest.mark.usefixtures("another_thread")
@pytest.mark.parametrize(
    "made",
    [
        Path,
        *(detached, packed, below, worktree, packed_worktree, submodule, sha256, symbolic),
    ],
)
def test_git_s_files_tell_the_commit_that_git_tells(
    project: Path, made: Callable[[Path], Path]
) -> None:
    folder = made(project)
    assert git_state(folder) == GitState(git(folder, "rev-parse", "HEAD"))


@pytest.mark.usefixtures("another_thread")
def test_the_folder_that_the_environment_names_is_git_s(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(project, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(project / ".git"))
    assert git_state(tmp_path) == GitState(commit)


def without_commit(folder: Path) -> None:
    git(folder, "init", "-q")


def circular(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: HEAD\n")


def outside(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / "secret").write_text("a" * 40 + "\n")
    (folder / ".git" / "HEAD").write_text("ref: ../secret\n")


def no_text(folder: Path) -> None:
    (folder / ".git").write_bytes(bytes(range(256)))


def pipe(folder: Path) -> None:
    (folder / ".git").mkdir()
    os.mkfifo(folder / ".git" / "HEAD")


@pytest.mark.usefixtures("another_thread")
@pytest.mark.parametrize("made", [without_commit, circular, outside, no_text, pipe])
def test_what_tells_no_commit_is_not_known(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path)
    assert git_state(tmp_path) == GitState()


def test_a_folder_without_git_has_no_commit(tmp_path: Path) -> None:
    assert git_state(tmp_path) == GitState()


def test_git_that_fails_leaves_what_its_files_tell(project: Path, calls: Callable[[], int]) -> None:
    state = alone(project)
    assert calls() == 1
    assert state.commit is not None
    assert state.is_dirty is None


@pytest.mark.usefixtures("calls")
def test_git_that_hangs_is_not_waited_for(project: Path) -> None:
    (project.parent / "bin" / "git").write_text("#!/bin/sh\nexec sleep 60\n")

    state = alone(project, timeout_s=0.2)

    assert state.commit is not None
    assert state.is_dirty is None


@pytest.mark.usefixtures("another_thread")
def test_no_process_is_started_beside_a_thread_that_may_wait_for_any(
    project: Path, calls: Callable[[], int]
) -> None:
    assert git_state(project).commit is not None
    assert calls() == 0


def test_no_process_is_started_in_a_thread_of_the_program_s(
    project: Path, calls: Callable[[], int]
) -> None:
    found: list[GitState] = []
    thread = threading.Thread(target=lambda: found.append(git_state(project)))
    thread.start()
    thread.join()
    assert found[0].commit is not None
    assert calls() == 0


@pytest.mark.parametrize("handler", [lambda *_: None, signal.SIG_IGN])
def test_no_process_is_started_where_the_program_handles_the_end_of_children(
    project: Path, calls: Callable[[], int], handler: Callable[..., object]
) -> None:
    before = signal.signal(signal.SIGCHLD, handler)
    try:
        assert git_state(project).commit is not None
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert calls() == 0


def test_no_process_is_started_where_the_program_keeps_their_signal_for_itself(
    project: Path, calls: Callable[[], int]
) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        assert git_state(project).commit is not None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert calls() == 0
