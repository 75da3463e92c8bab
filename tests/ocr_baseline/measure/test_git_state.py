"""The commit that a run tells of its folder is the one that git tells; git isn't started for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_baseline.layout import GIT_STATE_VARIABLE
from ocr_baseline.measure.git_state import GitState, git_state
from ocr_baseline.unchanged_script.asked_git import asked_git_state
from tests.ocr_baseline.repositories import committed, git


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", GIT_STATE_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "-q", "-b", "main")
    committed(project, "first")
    return project


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


@pytest.mark.parametrize("made", [without_commit, circular, outside, no_text, pipe])
def test_what_tells_no_commit_is_not_known(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path)
    assert git_state(tmp_path) == GitState()


def test_a_folder_without_git_has_no_commit(tmp_path: Path) -> None:
    assert git_state(tmp_path) == GitState()


def test_no_process_is_started(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = project.parent / "calls"
    folder = project.parent / "bin"
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\ntouch '{noted}'\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    assert git_state(project).commit is not None
    assert not noted.exists()


def test_what_git_said_before_the_run_is_told_of_the_commit_that_it_said_it_of(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(project, "rev-parse", "HEAD")
    monkeypatch.setenv(GIT_STATE_VARIABLE, f"{commit} dirty")
    assert git_state(project) == GitState(commit, is_dirty=True)

    monkeypatch.setenv(GIT_STATE_VARIABLE, f"{commit} clean")
    assert git_state(project) == GitState(commit, is_dirty=False)

    monkeypatch.setenv(GIT_STATE_VARIABLE, "unknown")
    assert git_state(project) == GitState(commit)

    monkeypatch.setenv(GIT_STATE_VARIABLE, f"{commit} clean")
    later = committed(project, "second")
    assert git_state(project) == GitState(later)


def test_git_is_asked_for_changes_without_writing_to_the_repository(project: Path) -> None:
    commit = git(project, "rev-parse", "HEAD")
    os.utime(project / "file", (1, 1))  # git would refresh its index
    (project / "not added").touch()
    index = project / ".git" / "index"
    before = index.read_bytes()

    assert asked_git_state(project) == f"{commit} clean"
    assert index.read_bytes() == before

    (project / "file").write_text("changed")
    assert asked_git_state(project) == f"{commit} dirty"


def test_git_that_has_no_commit_to_tell_is_not_known(tmp_path: Path) -> None:
    assert asked_git_state(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert asked_git_state(tmp_path) is None
