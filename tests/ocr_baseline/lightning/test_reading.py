"""What a run reads from disk, with real files that the page cache doesn't hold yet."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ocr_baseline.measure.reading import ReadingClock
from tests.ocr_baseline.lightning.tiny_runs import tiny_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux' own"),
]

FILES, FILE_BYTES = 8, 2**20


class Files(Dataset[torch.Tensor]):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __len__(self) -> int:
        return FILES

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.full((4,), float((self.folder / str(index)).read_bytes()[0]))


def cold_files(folder: Path) -> Path:
    """Files on the disk that nobody has read since they were put there."""
    folder.mkdir()
    for name in range(FILES):
        with (folder / str(name)).open("wb") as file:
            file.write(bytes(FILE_BYTES))
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return folder


def counts_disk_reads(folder: Path) -> bool:
    clock = ReadingClock("thread")
    before = clock.read()
    (cold_files(folder) / "0").read_bytes()
    return (clock.read().since(before).disk_read_bytes or 0) >= FILE_BYTES


@pytest.mark.parametrize("num_workers", [0, 1])
def test_the_first_pass_reads_from_disk_and_the_second_does_not(
    num_workers: int, tmp_path: Path
) -> None:
    if not counts_disk_reads(tmp_path / "probe"):
        pytest.skip("this file system has no disk that counts")
    loader = DataLoader(Files(cold_files(tmp_path / "data")), num_workers=num_workers)
    baseline = tiny_run(tmp_path, lambda t, m: t.fit(m, loader), max_epochs=2).baseline
    [first, second] = baseline.phases[0].per_epoch

    assert first.disk_read_bytes is not None
    assert second.disk_read_bytes is not None
    assert first.disk_read_bytes >= FILES * FILE_BYTES
    assert second.disk_read_bytes < FILE_BYTES
    for one in (first, second):
        assert one.read_bytes is not None
        assert FILES * FILE_BYTES <= one.read_bytes < 2 * FILES * FILE_BYTES
    of_workers = [workers.disk_read_bytes for workers in baseline.workers]
    assert len(of_workers) == num_workers
    assert all(value is not None and value >= FILES * FILE_BYTES for value in of_workers)
