"""The file that a run's records go to, whatever happens to it as the run goes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import psutil
import pytest

from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.records import reader as recorder_source
from ocr_baseline.records.format import FORMAT_NAME, FORMAT_VERSION, unknown_status
from ocr_baseline.records.writer import RecordWriter
from ocr_baseline.vocabulary import Stage


def record(recorder: Recorder, epoch: int, batches: int) -> None:
    recorder.open_stage(Stage.TRAIN, epoch)
    for number in range(batches):
        recorder.begin_fetch()
        recorder.end_fetch()
        recorder.begin_batch(number, 0, 2)
        recorder.finish_batch()
    recorder.close_stage(Stage.TRAIN)
    recorder.flush()


def test_records_removed_as_the_run_goes_are_made_anew_and_what_is_lost_is_told(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "baseline" / "records"
    recorder = Recorder(folder)
    recorder.write_header({"run": {"id": "abc123"}})
    recorder.resume()
    for epoch, batches in enumerate((5, 3, 4)):
        record(recorder, epoch, batches)
        if epoch < 2:
            shutil.rmtree(tmp_path / "baseline")
    recorder.close()
    run = recorder_source.load(folder)
    assert run.info.id == "abc123"
    assert [epoch.batches for epoch in run.stages[0].epochs] == [4]
    assert any(warning.startswith("8 batches were removed") for warning in run.measurement.warnings)


def test_a_file_that_another_run_made_in_its_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rank_0.jsonl"
    writer = RecordWriter(path)
    writer.write(unknown_status())
    path.unlink()
    path.write_text("of another run\n")
    with pytest.raises(FileExistsError):
        writer.write(unknown_status())
    assert path.read_text() == "of another run\n"


def test_a_file_whose_number_the_process_gave_to_another_is_neither_written_to_nor_closed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rank_0.jsonl"
    writer = RecordWriter(path)
    (number,) = [
        int(entry.name)
        for entry in Path("/proc/self/fd").iterdir()
        if entry.is_symlink() and entry.exists() and entry.samefile(path)
    ]
    os.close(number)
    with (tmp_path / "users").open("wb", buffering=0) as users:
        assert users.fileno() == number
        writer.write(unknown_status())
        users.write(b"theirs")
        writer.close()
        users.write(b", still")
    assert (tmp_path / "users").read_bytes() == b"theirs, still"
    assert len(path.read_text().splitlines()) == 1


def test_a_file_that_the_process_has_closed_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "rank_0.jsonl"
    writer = RecordWriter(path)
    for entry in list(Path("/proc/self/fd").iterdir()):
        if entry.is_symlink() and entry.exists() and entry.samefile(path):
            os.close(int(entry.name))
    assert writer.is_in_place()
    writer.write(unknown_status())
    writer.close()
    assert len(path.read_text().splitlines()) == 1


def test_a_folder_moved_elsewhere_as_the_run_goes_takes_the_records_with_it(
    tmp_path: Path,
) -> None:
    writer = RecordWriter(tmp_path / "here" / "rank_0.jsonl")
    (tmp_path / "here").rename(tmp_path / "there")
    writer.write(unknown_status())
    assert (
        tmp_path / "there" / "rank_0.jsonl"
    ).read_text() == '{"type":"status","status":"unknown"}\n'
    assert not (tmp_path / "here").exists()


def open_files() -> list[str]:
    return [file.path for file in psutil.Process().open_files()]


def test_a_released_file_is_closed_and_goes_on_with_the_next_record(tmp_path: Path) -> None:
    path = tmp_path / "rank_0.jsonl"
    writer = RecordWriter(path)
    writer.write(unknown_status())
    writer.release()
    assert str(path) not in open_files()
    writer.write(unknown_status())
    writer.close()
    assert path.read_text() == '{"type":"status","status":"unknown"}\n' * 2


def test_a_file_put_in_the_place_of_a_released_one_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rank_0.jsonl"
    writer = RecordWriter(path)
    writer.release()
    path.rename(tmp_path / "set_aside.jsonl")
    path.write_text("of another run\n")
    with pytest.raises(FileExistsError):
        writer.write(unknown_status())
    assert path.read_text() == "of another run\n"


def test_a_released_file_that_was_removed_is_made_anew_with_its_headers(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "records" / "rank_0.jsonl")
    writer.write({"type": "header", "format": FORMAT_NAME, "version": FORMAT_VERSION})
    writer.release()
    shutil.rmtree(tmp_path / "records")
    writer.write(unknown_status())
    lines = (tmp_path / "records" / "rank_0.jsonl").read_text().splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["header", "removed", "status"]


def test_a_writer_that_is_closed_while_released_writes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "rank_0.jsonl"
    writer = RecordWriter(path)
    writer.release()
    writer.close()
    writer.write(unknown_status())
    assert path.read_text() == ""
