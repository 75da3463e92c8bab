"""Offline runs that the real client wrote, whole and damaged."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ocr_baseline.errors import SourceError
from ocr_baseline.measure import environment
from ocr_baseline.sources.wandb.offline import load
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from ocr_baseline.model.run import Run

PROGRAM = Path(__file__).with_name("wandb_offline_run.py")
BLOCK = 2**15
ROWS = 300


def _write_run(folder: Path, *arguments: str) -> None:
    folder.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    subprocess.run(
        [sys.executable, str(PROGRAM), str(folder), *arguments],
        env={**kept, "HOME": str(folder), "WANDB_CONSOLE": "off", "WANDB_ERROR_REPORTING": "false"},
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offline")
    _write_run(folder, str(ROWS))
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    return file


def _epoch_times(run: Run, stage: Stage) -> dict[int | None, float | None]:
    return {
        epoch.epoch: epoch.epoch_time_s
        for record in run.stages
        if record.stage is stage
        for epoch in record.reported
    }


def test_a_finished_run_is_read_with_its_identity_rows_summary_and_config(finished: Path) -> None:
    run = load(finished)

    assert (run.info.source, run.info.status) == ("wandb-offline", "finished")
    assert (run.info.project, run.info.name) == ("baseline", "calm")
    assert run.info.id == finished.stem.removeprefix("run-")
    assert run.info.started_at is not None
    assert run.info.duration_s is not None
    assert run.config == {"lr": 0.001, "logger": {"api_key": "<redacted>"}}
    assert _epoch_times(run, Stage.TRAIN) == {epoch: 10.0 + epoch for epoch in range(ROWS)}
    assert _epoch_times(run, Stage.VALIDATION) == {epoch: 2.0 + epoch for epoch in range(ROWS)}
    assert any("summary" in warning for warning in run.measurement.warnings)
    unusable = {entry.metric: entry.detail for entry in run.missing if entry.reason == "failed"}
    assert "NaN" in str(unusable["phases.validation.batch_time_s.mean"])
    assert run.memory is not None
    assert run.memory.main_rss_bytes.min() > 2**20


def test_the_machine_is_known_as_the_recorder_knows_it_and_what_is_not_noted_is_absent(
    finished: Path,
) -> None:
    run = load(finished)

    here = environment.identity()
    same = ("python", "os", "cpu_model", "memory_bytes", *environment.PACKAGES)
    expected = {name: here[name] for name in same if name in here}
    # A machine without NVIDIA's driver has no `machine_gpus`.
    assert {
        name: value for name, value in run.environment_identity.items() if name != "machine_gpus"
    } == {**expected, "machine_cpu_count": os.cpu_count()}
    assert run.environment_volatile["hostname"] == socket.gethostname()
    (unknown,) = (entry for entry in run.missing if entry.metric == "environment")
    assert unknown.reason == "not_collected"
    assert "accelerator" in str(unknown.detail)


def test_a_file_alone_says_nothing_of_packages(finished: Path, tmp_path: Path) -> None:
    alone = tmp_path / finished.name
    alone.write_bytes(finished.read_bytes())

    identity = load(alone).environment_identity

    assert identity["python"] == platform.python_version()
    assert not set(environment.PACKAGES) & set(identity)


@pytest.mark.parametrize("levels", [1, 2, 3], ids=["run", "wandb", "save folder"])
def test_a_run_is_found_in_the_folders_above_it(finished: Path, levels: int) -> None:
    assert load(finished.parents[levels - 1]).info.name == "calm"


def test_of_several_runs_the_newest_is_read_and_a_warning_says_so(
    finished: Path, tmp_path: Path
) -> None:
    for started in ("20200101_000000", "20200102_000000"):
        folder = tmp_path / f"offline-run-{started}-{started[7]}"
        folder.mkdir()
        (folder / f"run-{started[7]}.wandb").write_bytes(finished.read_bytes())

    (warning,) = [w for w in load(tmp_path).measurement.warnings if "newest" in w]

    assert "the newest, offline-run-20200102_000000-2, was read" in warning


def _damaged(finished: Path, folder: Path, content: bytes) -> Path:
    path = folder / finished.name
    path.write_bytes(content)
    return path


def test_a_flipped_byte_costs_the_rows_of_its_block(finished: Path, tmp_path: Path) -> None:
    content = bytearray(finished.read_bytes())
    content[BLOCK + 100] ^= 0xFF

    run = load(_damaged(finished, tmp_path, bytes(content)))

    times = _epoch_times(run, Stage.TRAIN)
    assert ROWS / 4 < len(times) < ROWS
    assert times.items() <= {epoch: 10.0 + epoch for epoch in range(ROWS)}.items()
    assert run.info.status == "finished"
    assert any("1 blocks" in warning for warning in run.measurement.warnings)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_run_cut_off_at_any_place_gives_the_rows_before_it(
    finished: Path, tmp_path: Path, kept: float
) -> None:
    content = finished.read_bytes()

    run = load(_damaged(finished, tmp_path, content[: int(len(content) * kept)]))

    times = _epoch_times(run, Stage.TRAIN)
    assert times == {epoch: 10.0 + epoch for epoch in range(len(times))}
    assert 0 < len(times) < ROWS
    assert run.info.status == "unknown"
    assert any(
        "The end of the run isn't in the file" in warning for warning in run.measurement.warnings
    )


@pytest.mark.parametrize(("size", "told"), [(0, "empty"), (7, "no whole record")])
def test_a_file_without_a_record_is_told(
    finished: Path, tmp_path: Path, size: int, told: str
) -> None:
    with pytest.raises(SourceError, match=told):
        load(_damaged(finished, tmp_path, finished.read_bytes()[:size]))


def test_a_run_that_was_killed_gives_what_reached_the_disk(tmp_path: Path) -> None:
    _write_run(tmp_path, str(ROWS), "kill")

    run = load(tmp_path)

    times = _epoch_times(run, Stage.TRAIN)
    assert times == {epoch: 10.0 + epoch for epoch in range(len(times))}
    assert len(times) > 0
    assert run.info.status in {"unknown", "failed"}
