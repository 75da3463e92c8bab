"""A store of baselines in S3: the real client, a loopback server, processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocr_baseline.cli import main
from ocr_baseline.comparison.calibration import calibrate
from ocr_baseline.errors import StoreError
from ocr_baseline.store.baselines import BaselineStore
from tests.ocr_baseline.comparison.measured_runs import baseline, runs
from tests.ocr_baseline.store_files import write_runs

s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
moto_server = pytest.importorskip("moto.server", reason="moto is not installed")

BUCKET = "receipts"
URL = f"s3://{BUCKET}/ci/baselines"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An empty bucket, which the client finds as a user's environment names it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "example")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("OCR_BASELINE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir(BUCKET)
    yield files
    files.invalidate_cache()
    files.rm(BUCKET, recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def test_runs_are_added_accepted_listed_loaded_and_removed(bucket: Any) -> None:
    store = BaselineStore(URL)
    assert store.summaries() == []
    for number in (2, 1):
        store.add("main", baseline(number))
    store.add("main", baseline(2), is_accepted_change=True)
    store.write_calibration("main", calibrate(runs(8)))

    (summary,) = store.summaries()
    assert (summary.name, len(summary.entries), summary.has_calibration) == ("main", 2, True)
    first, second = store.load("main")
    assert (first.is_accepted_change, second.is_accepted_change) == (False, True)
    assert first.values["train.batch_time"] == pytest.approx(0.1)

    store.remove("main", summary.entries[0].file_name)
    assert len(store.entries("main")) == 1
    store.remove("main")
    assert not store.entries("main")


def test_two_processes_add_to_one_name_at_once_and_no_run_is_lost(
    bucket: Any, tmp_path: Path
) -> None:
    both = write_runs(tmp_path / "both", 0)
    first, second = write_runs(tmp_path / "first", 10), write_runs(tmp_path / "second", 20)
    command = [sys.executable, "-m", "ocr_baseline.cli", "baseline", "add", "main"]
    adding = [
        subprocess.Popen(
            [*command, *map(str, [*own, *both]), "--store", URL], stderr=subprocess.PIPE, text=True
        )
        for own in (first, second)
    ]
    for process in adding:
        _, messages = process.communicate(timeout=60)
        assert process.returncode == 0, messages

    assert [run.label.split("@")[0] for run in BaselineStore(URL).load("main")] == [
        f"main/run-{number}" for start in (0, 10, 20) for number in range(start, start + 5)
    ]


def test_a_check_compares_with_what_is_stored_and_a_query_reads_it_in_place(
    bucket: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb", reason="the extra store is not installed")
    write_runs(tmp_path / "old", 0)
    write_runs(tmp_path / "new", 10, slower=0.1)
    assert main(["baseline", "add", "main", "old", "--store", URL]) == 0
    assert main(["check", "new", "--baseline", "main", "--store", URL]) == 1
    capsys.readouterr()
    sql = "SELECT baseline, count(*) AS runs FROM runs GROUP BY ALL"
    assert main(["baseline", "query", sql, "--store", URL]) == 0
    assert capsys.readouterr().out.splitlines() == ["baseline,runs", "main,5"]


def test_a_bucket_that_does_not_exist_is_not_made(bucket: Any) -> None:
    with pytest.raises(StoreError, match="s3://recipts/baselines"):
        BaselineStore("s3://recipts/baselines").add("main", baseline(1))
    bucket.invalidate_cache()
    assert bucket.ls("") == [BUCKET]


def test_a_server_that_is_not_there_is_one_line_and_2(
    bucket: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    assert main(["baseline", "list", "--store", URL]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "can't list s3://receipts/ci/baselines" in line
    assert "127.0.0.1:9" in line
    assert "example-secret" not in line
