"""Files of a store: local with whole writes, anything else through fsspec."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ocr_baseline.errors import StoreError
from ocr_baseline.files import read_bytes, write_text_atomically
from ocr_baseline.model.privacy import redact_text

if TYPE_CHECKING:
    import fsspec

DEFAULT_TIMEOUT_S = 10.0

NO_LISTING = (
    "lists no baseline: a store at a web server needs a page there that links to its folders"
)

Result = TypeVar("Result")
_LOCAL_ERRORS = (OSError, ImportError, ValueError)


class StoreFolder:
    """A folder at a path or a URL; every error names the place and what failed."""

    def __init__(self, url: str, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Open the folder; it need not exist, but a web server that has it must answer.

        Args:
            url: A path, or a URL that fsspec has a file system for.
            timeout_s: Give up on a web server's answer after so long.

        Raises:
            StoreError: When no file system knows the URL, or when its package is not installed.
        """
        self.url = url
        self.is_web = url.startswith(("http://", "https://"))
        self.is_local = "://" not in url or url.startswith("file://")
        # Each driver of a remote file system has an error tree of its own beside Python's.
        self._errors: tuple[type[Exception], ...] = _LOCAL_ERRORS if self.is_local else (Exception,)
        # Imported here: only commands that use a store pay for it.
        from fsspec.core import url_to_fs

        self._fs: fsspec.AbstractFileSystem
        options = _web_options(timeout_s) if self.is_web else {}
        self._fs, self._root = self._try("open", lambda: url_to_fs(url, **options))

    def __str__(self) -> str:
        """Return the URL without credentials."""
        return redact_text(self.url)

    def folders(self) -> list[str]:
        """Return the names of the folders inside, none when the folder does not exist."""
        names = [name for name, kind in self._entries("") if kind == "directory"]
        if self.is_web and not names:
            raise StoreError(f"{self} {NO_LISTING}")
        return names

    def files(self, folder: str) -> list[str]:
        """Return the names of the files in a folder inside, none when it does not exist."""
        return [name for name, kind in self._entries(folder) if kind == "file"]

    def place(self, *parts: str) -> str:
        """Return how messages name a file or folder inside."""
        return "/".join([str(self).rstrip("/"), *parts])

    def read(self, *parts: str) -> bytes:
        """Return what is in a file.

        Raises:
            StoreError: When it can't be read.
        """
        path = self._path(*parts)
        if self.is_local:
            return self._try("read", lambda: read_bytes(Path(path)), *parts)
        content: bytes = self._try("read", lambda: self._fs.cat_file(path), *parts)
        return content

    def write(self, text: str, *parts: str) -> None:
        """Write a file whole; missing folders are made, a missing bucket is not.

        Raises:
            BaselineError: When it can't be written.
        """
        path = self._path(*parts)
        if self.is_local:
            write_text_atomically(Path(path), text)
            return
        parent = path.rpartition("/")[0]
        self._try("make the folder of", lambda: self._make_folders(parent), *parts)
        self._try("write", lambda: self._fs.pipe_file(path, text.encode()), *parts)

    def remove(self, *parts: str) -> None:
        """Remove a file, or a folder with all that is in it.

        Raises:
            StoreError: When it can't be removed.
        """
        path = self._path(*parts)
        self._try("remove", lambda: self._fs.rm(path, recursive=True), *parts)

    def pattern(self, glob: str) -> str:
        """Return a pattern of files inside as DuckDB wants it: a path, or one with a protocol."""
        path = self._path(glob)
        return path if self.is_local else str(self._fs.unstrip_protocol(path))

    @property
    def file_system(self) -> fsspec.AbstractFileSystem:
        """The file system that the folder is on."""
        return self._fs

    def _path(self, *parts: str) -> str:
        return "/".join([self._root.rstrip("/"), *parts]) if parts else self._root

    def _make_folders(self, path: str) -> None:
        """Make the missing folders of a path, but for its first part: in object storage a bucket.

        `makedirs` of a driver would make that too, and a mistyped name is no wish for a bucket.
        """
        parent = path.rpartition("/")[0]
        if not parent.strip("/") or self._fs.exists(path):
            return
        self._make_folders(parent)
        # Another process may have made it since.
        with suppress(FileExistsError):
            self._fs.mkdir(path, create_parents=False)

    def _entries(self, folder: str) -> list[tuple[str, str]]:
        path = self._path(folder) if folder else self._root

        def entries() -> list[tuple[str, str]]:
            self._fs.invalidate_cache()
            if not self._is_there(path, folder):
                return []
            found = self._fs.ls(path, detail=True)
            return sorted(
                (entry["name"].rstrip("/").rpartition("/")[2], entry["type"]) for entry in found
            )

        return self._try("list", entries, *([folder] if folder else []))

    def _is_there(self, path: str, folder: str) -> bool:
        if not self.is_web:
            return bool(self._fs.exists(path))
        # The file system of web servers takes every failure for a folder that isn't there.
        return not folder or folder in self.folders()

    def _try(self, verb: str, action: Callable[[], Result], *parts: str) -> Result:
        try:
            return action()
        except StoreError:
            raise
        except self._errors as error:
            detail = _detail(error)
            message = f"can't {verb} {self.place(*parts)}: {redact_text(str(detail))}"
            raise StoreError(message) from error


def _web_options(timeout_s: float) -> dict[str, object]:
    """Return what makes a web server's file system give up; by itself it waits for five minutes."""
    from aiohttp import ClientTimeout

    return {
        "client_kwargs": {"timeout": ClientTimeout(total=timeout_s)},
    }


def _detail(error: Exception) -> str:
    if isinstance(error, TimeoutError) or type(error).__name__.endswith("TimeoutError"):
        return "it did not answer in time"
    if type(error).__name__ == "TooManyRedirects":
        return "it leads from one address to the next without end"
    if isinstance(error, FileNotFoundError) and not error.strerror:
        return "there is nothing at this address"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
