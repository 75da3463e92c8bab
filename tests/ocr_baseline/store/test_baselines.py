"""Named baselines, in a folder and at a URL."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ocr_baseline.comparison.calibration import calibrate
from ocr_baseline.comparison.identity import fingerprint
from ocr_baseline.errors import SchemaError, StoreError
from ocr_baseline.model.document import Baseline
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.store.baselines import BaselineStore
from tests.ocr_baseline.comparison.measured_runs import IDENTITY, STARTED_AT, baseline, runs

BLOCKS_S = [0.1, 0.2]


@pytest.fixture(params=["folder", "url"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BaselineStore:
    if request.param == "folder":
        return BaselineStore(str(tmp_path / "store"))
    return BaselineStore(f"memory://{uuid.uuid4().hex}")


def with_blocks(document: Baseline) -> Baseline:
    phases = [phase.model_copy(update={"block_means_s": BLOCKS_S}) for phase in document.phases]
    return document.model_copy(update={"phases": phases})


def test_a_stored_run_is_read_as_it_was(store: BaselineStore) -> None:
    store.add("main", with_blocks(baseline(1)))
    (run,) = store.load("main")
    assert run.values["train.batch_time"] == pytest.approx(0.1)
    assert run.block_means_s == {"train": tuple(BLOCKS_S)}
    assert run.label.startswith("main/run-1@")


def test_runs_come_by_when_they_started(store: BaselineStore) -> None:
    for number in (3, 1, 2):
        store.add("main", baseline(number))
    assert [run.label.split("@")[0] for run in store.load("main")] == [
        "main/run-1", "main/run-2", "main/run-3",
    ]  # fmt: skip


def test_the_file_name_tells_time_and_environment(store: BaselineStore) -> None:
    entry, _ = store.add("main", baseline(1))
    assert entry.stamp == "20260301T130000Z"
    assert entry.fingerprint == fingerprint(IDENTITY)
    assert store.entries("main") == [entry]


def test_a_run_is_stored_once(store: BaselineStore) -> None:
    assert store.add("main", baseline(1))[1] is True
    assert store.add("main", baseline(1))[1] is False
    assert len(store.entries("main")) == 1


def test_a_run_of_unknown_start_is_stored_once_too(store: BaselineStore) -> None:
    document = baseline(1)
    undated = document.model_copy(update={"run": replace(document.run, started_at=None)})
    later = undated.model_copy(update={"generated_at": STARTED_AT + timedelta(days=1)})
    assert store.add("main", undated)[1] is True
    assert store.add("main", later)[1] is False


def test_an_accepted_run_is_marked_also_when_it_is_there_already(store: BaselineStore) -> None:
    store.add("main", baseline(1))
    store.add("main", baseline(2))
    store.add("main", baseline(2), is_accepted_change=True)
    store.add("main", baseline(3), is_accepted_change=True)
    assert [run.is_accepted_change for run in store.load("main")] == [False, True, True]


def test_names_are_listed_with_their_runs(store: BaselineStore) -> None:
    assert store.summaries() == []
    store.add("main", baseline(1))
    store.add("release-1.2", baseline(2))
    assert [(found.name, len(found.entries)) for found in store.summaries()] == [
        ("main", 1), ("release-1.2", 1),
    ]  # fmt: skip
    assert store.entries("main")
    assert not store.entries("other")


def test_a_name_or_a_run_is_removed(store: BaselineStore) -> None:
    first, _ = store.add("main", baseline(1))
    store.add("main", baseline(2))
    store.remove("main", first.file_name)
    assert len(store.entries("main")) == 1
    with pytest.raises(StoreError, match="no file 'x'"):
        store.remove("main", "x")
    store.remove("main")
    assert not store.entries("main")
    with pytest.raises(StoreError, match="no baseline 'main'"):
        store.remove("main")


def test_a_calibration_is_kept_with_a_name(store: BaselineStore) -> None:
    assert store.calibration("main") is None
    calibration = calibrate(runs(8))
    store.write_calibration("main", calibration)
    assert store.calibration("main") == calibration


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a b", "x" * 101])
def test_a_name_that_is_no_folder_name_is_refused(store: BaselineStore, name: str) -> None:
    with pytest.raises(StoreError, match="can't name a baseline"):
        store.add(name, baseline(1))


def test_an_unknown_name_is_refused_with_the_known_ones(store: BaselineStore) -> None:
    store.add("main", baseline(1))
    with pytest.raises(StoreError, match="no baseline 'man'; it holds main"):
        store.load("man")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    store = BaselineStore(str(tmp_path))
    entry, _ = store.add("main", baseline(1))
    file = tmp_path / "main" / entry.file_name
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(SchemaError, match=entry.file_name):
        store.load("main")


def test_a_file_that_is_none_of_the_stores_is_listed_as_such(tmp_path: Path) -> None:
    store = BaselineStore(str(tmp_path))
    store.add("main", baseline(1))
    (tmp_path / "main" / "notes.json").write_text("{}")
    (summary,) = store.summaries()
    assert summary.foreign_files == ("notes.json",)
    assert len(summary.entries) == 1


def test_a_stored_file_is_a_document_that_every_command_reads(tmp_path: Path) -> None:
    store = BaselineStore(str(tmp_path))
    entry, _ = store.add("main", baseline(1))
    file = tmp_path / "main" / entry.file_name
    assert read_baseline(file).run.id == "run-1"
    assert json.loads(file.read_text())["schema"] == "ocr-baseline"


def test_a_url_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(StoreError, match="nope://"):
        BaselineStore("nope://bucket/x")


def test_credentials_in_a_url_are_not_shown() -> None:
    with pytest.raises(StoreError) as error:
        BaselineStore("nope://user:hunter2@host/x")
    assert "hunter2" not in str(error.value)


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    from ocr_baseline.errors import BaselineError

    with pytest.raises(BaselineError, match="file"):
        BaselineStore(str(tmp_path / "file")).add("main", baseline(1))
