"""The watch over the other ranks while a report is written."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lightning.fabric.strategies.launchers.subprocess_script import _ChildProcessObserver

from ocr_baseline import write
from ocr_baseline.recording.launchers_watch import watch_stands_still
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, loader, tiny_run

STILL_S = 0.2


class Watch(_ChildProcessObserver):
    """Looks once, when it is told to; it notes that it would end all ranks."""

    def __init__(self, child: subprocess.Popen[bytes], events: list[str]) -> None:
        super().__init__(main_pid=0, child_processes=[child])
        self.looks = threading.Event()
        self.events = events
        is_thread = isinstance(self, threading.Thread)  # in Lightning 2.1.0 a thread's target
        self.thread = self if is_thread else threading.Thread(target=self)

    def run(self) -> None:
        self.looks.wait()
        self._run()

    __call__ = run

    def _terminate_all(self) -> None:
        self.events.append("all ended")


@pytest.fixture
def watch() -> Iterator[Watch]:
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
    child.wait()
    watch = Watch(child, [])
    watch.thread.start()
    yield watch
    watch.looks.set()
    watch.thread.join()


def test_a_rank_that_died_ends_the_others_once_the_block_is_over(watch: Watch) -> None:
    with watch_stands_still():
        watch.looks.set()
        watch.thread.join(STILL_S)
        watch.events.append("block")
    watch.thread.join()
    assert watch.events == ["block", "all ended"]


def test_a_block_that_raises_lets_the_watch_go_on(watch: Watch) -> None:
    with pytest.raises(ValueError, match="its own"), watch_stands_still():
        raise ValueError("its own")
    watch.looks.set()
    watch.thread.join()
    assert watch.events == ["all ended"]


@pytest.mark.slow
def test_a_rank_that_fails_like_the_others_ends_by_its_own_exception(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report = write.write_report

    def while_the_watch_looks(*args: Any, **kwargs: Any) -> Any:
        watch.looks.set()
        watch.thread.join(STILL_S)
        watch.events.append("report")
        return write_report(*args, **kwargs)

    monkeypatch.setattr(write, "write_report", while_the_watch_looks)

    class Raises(TinyModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 1:
                raise ValueError("as on every rank")
            return super().training_step(batch, batch_idx)

    run = tiny_run(tmp_path, lambda t, m: t.fit(m, loader()), module=Raises())
    watch.thread.join()
    assert isinstance(run.ended_by, ValueError)
    assert watch.events == ["report", "all ended"]
