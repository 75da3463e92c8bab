"""The post-run hook around real Hydra programs."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import hydra
import pytest
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from ocr_baseline import recovery
from ocr_baseline.hydra.hook import BaselineReportHook
from ocr_baseline.measure import folder_answer
from ocr_baseline.model.document import Baseline
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.records import reader
from ocr_baseline.write import write_report
from tests.ocr_baseline.hydra import recording_job, training_job

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Start = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def start(tmp_path: Path, repository: Path) -> Start:
    """Start a job, else the recording one, with the hook of the package's own config root."""
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "app.yaml").write_text("batches: 5\nend: return\n")

    def started(
        *overrides: str,
        job: str = recording_job.__file__,
        environment: dict[str, str] | None = None,
    ) -> object:
        return subprocess.run(
            [
                sys.executable,
                job,
                "-cd",
                str(configs),
                *sorted(overrides, key=lambda argument: argument != "--multirun"),
                "hydra/callbacks=baseline_report",
                f"hydra.run.dir={tmp_path / 'job'}",
                f"hydra.sweep.dir={tmp_path / 'sweep'}",
            ],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(repository)} | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    return started  # type: ignore[return-value]  # the process is what the annotation says


EXITED = (
    "SystemExit: the process exited before its job returned"
    if hydra.__version__.startswith("1.3.")  # it doesn't end the job on an exit
    else "SystemExit: 3"
)


def report_of(job: Path) -> Baseline:
    return read_baseline(job / "baseline" / "baseline.json")


@pytest.mark.parametrize(
    ("end", "exit_code", "status", "ended_by"),
    [
        ("return", 0, "finished", None),
        ("raise", 1, "failed", "ValueError: bad batch from https://<redacted>@host/data"),
        ("exit", 3, "failed", EXITED),
        ("interrupt", -2, "interrupted", "KeyboardInterrupt"),
    ],
)
def test_a_job_that_wrote_no_report_gets_one_with_how_it_ended(
    start: Start, tmp_path: Path, end: str, exit_code: int, status: str, ended_by: str | None
) -> None:
    done = start(f"end={end}")
    assert done.returncode == exit_code, done.stderr
    baseline = report_of(tmp_path / "job")
    assert (baseline.run.status, baseline.run.ended_by) == (status, ended_by)
    assert [phase.batches for phase in baseline.phases] == [5, 5]
    assert (tmp_path / "job" / "baseline" / "baseline.md").is_file()


def test_a_job_without_records_is_left_alone_and_imports_nothing_heavy(
    start: Start, tmp_path: Path
) -> None:
    done = start("batches=0", "end=modules")
    assert not (tmp_path / "job" / "baseline").exists()
    imported = set(done.stdout.split())
    assert "hydra" in imported
    assert imported.isdisjoint({"torch", "lightning", "pandas", "scipy", "pydantic", "jinja2"})


def test_a_hook_that_fails_leaves_exit_code_and_job_alone(start: Start, tmp_path: Path) -> None:
    records = tmp_path / "job" / "baseline" / "records"
    records.mkdir(parents=True)
    (records / "rank_0.jsonl").write_bytes(b"\xff\x00 no records at all\n")
    done = start("batches=0")
    assert done.returncode == 0
    assert "couldn't be written" in (done.stdout + done.stderr)
    assert not (tmp_path / "job" / "baseline" / "baseline.json").exists()


def test_a_folder_that_does_not_answer_delays_a_job_for_a_while_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(folder_answer, "PATIENCE_S", 0.1)
    recording_job.record(tmp_path / "baseline" / "records", 5).close()
    answers = threading.Event()
    monkeypatch.setattr(folder_answer, "try_to_write", lambda folder: answers.wait())
    config = OmegaConf.create({"hydra": {"runtime": {"output_dir": str(tmp_path)}}})
    BaselineReportHook().on_job_end(config, JobReturn(status=JobStatus.COMPLETED))
    assert "has not answered for" in caplog.text
    assert not (tmp_path / "baseline" / "baseline.json").exists()
    answers.set()


def test_a_rank_above_0_writes_nothing(start: Start, tmp_path: Path) -> None:
    assert start(environment={"LOCAL_RANK": "1"}).returncode == 0
    assert not (tmp_path / "job" / "baseline" / "baseline.json").exists()


def test_a_complete_report_stays_and_one_that_lacks_batches_is_renewed(
    start: Start, tmp_path: Path
) -> None:
    folder = tmp_path / "job" / "baseline"
    recording_job.record(folder / "records", 5).close()
    report = write_report(reader.load(folder), folder)
    start("batches=0")
    assert read_baseline(folder / "baseline.json").generated_at == report.baseline.generated_at
    start("batches=3", "end=raise")
    baseline = read_baseline(folder / "baseline.json")
    assert baseline.run.status == "failed"
    assert [phase.batches for phase in baseline.phases] == [8, 8]


def test_a_training_that_ends_before_its_first_batch_leaves_the_good_report_of_before(
    start: Start, tmp_path: Path
) -> None:
    folder = tmp_path / "job" / "baseline"
    assert start("end=return", job=training_job.__file__).returncode == 0
    before = (folder / "baseline.json").read_bytes()
    recorded = recovery.recorded_batches(reader.load(folder))
    assert recorded["train"] == 4

    for end, exit_code in {"raise": 1, "exit": 3, "kill": -9, "raise again": 1}.items():
        done = start(f"end={end.split()[0]}", job=training_job.__file__)
        assert done.returncode == exit_code, done.stderr
        assert (folder / "baseline.json").read_bytes() == before, end
        if end == "kill":  # nobody could put the records of before back
            assert recovery.recover_report(folder, recovery.Ending(status="failed")) is None
            assert (folder / "baseline.json").read_bytes() == before
        else:
            assert recovery.recorded_batches(reader.load(folder)) == recorded, end


@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_local"])
def test_a_sweep_gets_one_table_over_its_jobs_the_failed_ones_too(
    start: Start, tmp_path: Path, launcher: str
) -> None:
    if launcher != "basic":
        plugin = launcher.removesuffix("_local")
        pytest.importorskip(f"hydra_plugins.hydra_{plugin}_launcher")
    done = start("--multirun", "end=return,raise", "+api_key=hunter2", f"hydra/launcher={launcher}")
    assert done.returncode == 1, "the launcher's own exit code for a failed job"
    rows = list(csv.DictReader((tmp_path / "sweep" / "sweep_baselines.csv").open()))
    assert [(row["job"], row["status"]) for row in rows] == [("0", "finished"), ("1", "failed")]
    assert rows[1]["ended_by"].startswith("ValueError: bad batch")
    assert "end=raise" in rows[1]["overrides"]
    assert float(rows[0]["train_sample_time_s"]) > 0
    table = (tmp_path / "sweep" / "sweep_baselines.md").read_text()
    assert "`end=raise +api_key=<redacted>`" in table
    assert "hunter2" not in table


def test_a_sweep_whose_job_exits_the_process_still_gets_its_table(
    start: Start, tmp_path: Path
) -> None:
    assert start("--multirun", "end=return,exit,return").returncode == 3
    rows = list(csv.DictReader((tmp_path / "sweep" / "sweep_baselines.csv").open()))
    assert [row["status"] for row in rows] == ["finished", "failed"]


def test_a_sweep_without_records_leaves_no_table(start: Start, tmp_path: Path) -> None:
    assert start("--multirun", "end=return,return", "batches=0").returncode == 0
    assert sorted(path.name for path in (tmp_path / "sweep").iterdir()) == [
        "0",
        "1",
        "multirun.yaml",
    ]
