"""A thread of the measuring that never begins holds nobody up."""

from __future__ import annotations

import threading
import time

import pytest

from ocr_baseline.measure import own_threads


class NeverBegins(threading.Thread):
    """Ends before its first step, as one does for which no memory is left."""

    def _bootstrap(self) -> None:
        pass


def test_a_thread_that_never_begins_is_waited_for_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "Thread", NeverBegins)
    monkeypatch.setattr(own_threads, "START_S", 0.05)
    thread = own_threads.own_thread(lambda: None, "never")

    began = time.perf_counter()
    with pytest.raises(RuntimeError, match="never has not begun"):
        own_threads.start(thread)
    assert time.perf_counter() - began < 5.0
    monkeypatch.undo()
    threading._limbo.pop(thread)  # type: ignore[attr-defined]  # Python keeps it there for good


def test_a_thread_that_begins_is_started_as_python_does() -> None:
    done: list[int] = []
    thread = own_threads.own_thread(lambda: done.append(1), "begins")
    own_threads.start(thread)
    thread.join(5.0)
    assert done == [1]
    assert not thread.is_alive()
