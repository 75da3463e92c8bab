"""Only regular files are opened, whatever has the name of one."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ocr_baseline import files
from ocr_baseline.errors import SourceError
from ocr_baseline.files import kind_of, read_bytes
from ocr_baseline.yaml_file import read_yaml


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(path.name)
    server.close()


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _nothing(path: Path) -> None:
    path.symlink_to("absent")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("make", [_pipe, _socket, _loop, _endless, _nothing, Path.mkdir])
def test_what_is_no_regular_file_is_refused_at_once(
    make: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket has a hundred characters at most
    path = Path("file")
    assert callable(make)
    make(path)
    with pytest.raises(SourceError, match=r"^can't read file: \w"):
        read_bytes(path)


def test_a_link_to_a_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link") == b"content"
    assert kind_of(tmp_path / "link") == "file"


def test_a_file_larger_than_one_can_be_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_WHOLE_BYTES", 10)
    (tmp_path / "file").write_bytes(b"x" * 11)
    with pytest.raises(SourceError, match="larger than"):
        read_bytes(tmp_path / "file")


@pytest.mark.parametrize("path", ["x" * 5000, "a/" * 5000, "a\0b"])
def test_a_path_that_no_file_can_have_is_refused_in_a_short_line(path: str) -> None:
    for read in (read_bytes, kind_of):
        with pytest.raises(SourceError) as refused:
            read(Path(path))
        assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "{a: " * 50_000, "\n".join(" " * level + "- " for level in range(200))]
)
def test_yaml_nested_deeper_than_sense_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "deep.yaml").write_text(text)
    with pytest.raises(SourceError, match="nested deeper than"):
        read_yaml(tmp_path / "deep.yaml")
