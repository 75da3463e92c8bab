"""Stores at web servers: one that fails is told from one that holds nothing."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ocr_baseline.errors import StoreError
from ocr_baseline.store.baselines import BaselineStore
from tests.ocr_baseline.comparison.measured_runs import baseline

pytest.importorskip("aiohttp")


class _Failing(BaseHTTPRequestHandler):
    """Fails as the first part of the address says."""

    def do_GET(self) -> None:
        how = self.path.split("/")[1]
        if how == "silent":
            time.sleep(3)
        elif how == "dripping":
            self._answer(200, "text/html")
            for _ in range(30):
                self.wfile.write(b" ")
                time.sleep(0.1)
        elif how == "circular":
            self.send_response(302)
            self.send_header("Location", self.path + "/x")
            self.end_headers()
        elif how == "page":
            self._answer(200, "text/html")
            self.wfile.write(b"<a href='/page/login/'>log in</a>")
        else:
            self._answer(int(how), "text/html")

    def _answer(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client gave up
            return

    def log_message(self, format: str, *args: object) -> None:
        return


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def _serving(handler: object) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type]
    # The server notices its end only as often as it polls.
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("500", "500"),
        ("403", "403"),
        ("404", "nothing at this address"),
        ("page", "lists no baseline"),
        ("200", "lists no baseline"),
        ("circular", "without end"),
        ("silent", "did not answer in time"),
        ("dripping", "did not answer in time"),
    ],
)
@pytest.mark.slow
def test_a_web_server_that_fails_is_an_error_with_its_cause(how: str, cause: str) -> None:
    with _serving(_Failing) as url:
        store = BaselineStore(f"{url}/{how}", timeout_s=0.5)
        with pytest.raises(StoreError, match=cause):
            store.summaries()


def test_a_web_server_that_is_down_is_an_error() -> None:
    with _serving(_Failing) as url:
        pass
    store = BaselineStore(url, timeout_s=0.5)
    for ask in (store.summaries, lambda: store.entries("main")):
        with pytest.raises(StoreError, match="can't list"):
            ask()


def test_a_store_that_a_web_server_lists_is_read(tmp_path: Path) -> None:
    BaselineStore(str(tmp_path)).add("main", baseline(1))
    with _serving(functools.partial(_Quiet, directory=str(tmp_path))) as url:
        store = BaselineStore(url)
        assert [summary.name for summary in store.summaries()] == ["main"]
        assert len(store.load("main")) == 1
        assert not store.entries("absent")
