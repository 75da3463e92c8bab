from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ocr_baseline.measure.reading import NOTHING_READ, Reading, ReadingClock

STAT = "77 (a (strange) name) S " + " ".join(str(number) for number in range(4, 53))
"""Each field after the name holds its own number, as the manual page counts them."""


def proc_of(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux' own")
@pytest.mark.parametrize("stays_open", [True, False])
def test_what_the_process_reads_is_counted(stays_open: bool, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(bytes(10**6))
    clock = ReadingClock("process", stays_open=stays_open)
    before = clock.read()
    (tmp_path / "data").read_bytes()
    taken = clock.read().since(before)

    assert taken.read_bytes is not None
    assert 10**6 <= taken.read_bytes < 10**6 + 10**5
    assert taken.disk_read_bytes is not None
    assert taken.disk_read_bytes >= 0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux' own")
def test_a_threads_readings_leave_out_what_child_processes_read(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(bytes(10**6))
    of_thread, of_process = ReadingClock("thread"), ReadingClock("process")
    before = of_thread.read(), of_process.read()
    subprocess.run(["cat", str(tmp_path / "data")], stdout=subprocess.DEVNULL, check=True)
    by_thread, by_process = of_thread.read().since(before[0]), of_process.read().since(before[1])

    assert by_process.read_bytes is not None
    assert by_process.read_bytes >= 10**6
    assert by_thread.read_bytes is not None
    assert by_thread.read_bytes < 10**5


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux' own")
def test_a_thread_is_told_of_whichever_thread_asks(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(bytes(10**6))
    clock = ReadingClock("thread")
    taken: list[int | None] = []

    def read_elsewhere() -> None:
        before = clock.read()
        (tmp_path / "data").read_bytes()
        taken.append(clock.read().since(before).read_bytes)

    elsewhere = threading.Thread(target=read_elsewhere)
    elsewhere.start()
    elsewhere.join()
    assert taken[0] is not None
    assert taken[0] < 10**5


def test_waits_are_counted_where_the_kernel_says_so(tmp_path: Path) -> None:
    files = {"sys/kernel/task_delayacct": "1\n", "self/stat": STAT}
    waited_ns = ReadingClock("process", proc=proc_of(tmp_path, files)).read().disk_wait_ns

    assert waited_ns == 42 * 10**9 // os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"sys/kernel/task_delayacct": "0\n", "self/stat": STAT},
        {"self/stat": STAT},
        {"sys/kernel/task_delayacct": "1\n", "self/stat": "77 (name) S 1"},
        {"self/io": "rchar: 5\nwchar: 6"},
        {"self/io": "rchar: many\nread_bytes: 6"},
    ],
    ids=["hidden", "off", "not said", "short", "no disk", "damaged"],
)
@pytest.mark.parametrize("stays_open", [True, False])
def test_what_the_system_does_not_tell_is_unknown(
    files: dict[str, str], stays_open: bool, tmp_path: Path
) -> None:
    clock = ReadingClock("process", stays_open=stays_open, proc=proc_of(tmp_path, files))
    assert clock.read() == Reading()
    assert clock.read().since(Reading(1, 2, 3)) == Reading()


def test_readings_add_up_as_far_as_both_are_known() -> None:
    assert NOTHING_READ.plus(Reading(5, None, 7)) == Reading(5, None, 7)
    assert Reading(1, 2, 3).plus(Reading(5, 6, None)) == Reading(6, 8, None)
