"""SQL over the store's documents."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from ocr_baseline.errors import StoreError
from ocr_baseline.store.baselines import BaselineStore
from ocr_baseline.store.queries import query
from tests.ocr_baseline.comparison.measured_runs import baseline

pytest.importorskip("duckdb", reason="the extra store is not installed")


@pytest.fixture(params=["folder", "url"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BaselineStore:
    url = str(tmp_path / "it's") if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    store = BaselineStore(url)
    store.add("main", baseline(1))
    store.add("main", baseline(2, factor=2.0))
    store.add("other", baseline(3))
    return store


def test_runs_phases_and_lines_are_views(store: BaselineStore) -> None:
    runs = query(store.folder, "SELECT baseline, id, peak_rss_bytes FROM runs ORDER BY id")
    assert runs.columns == ("baseline", "id", "peak_rss_bytes")
    assert runs.rows[0] == ("main", "run-1", 1e9)
    phases = query(store.folder, "SELECT max(batch_time_median_s) FROM phases")
    assert phases.rows == ((pytest.approx(0.2),),)
    lines = query(
        store.folder,
        "SELECT line, sum(per_batch_s) FROM lines WHERE baseline = 'main' GROUP BY line ORDER BY 2",
    )
    assert [row[0] for row in lines.rows] == ["data_wait", "metrics", "forward"]


def test_rows_go_into_parquet_that_a_query_reads_again(
    store: BaselineStore, tmp_path: Path
) -> None:
    file = tmp_path / "rows.parquet"
    query(store.folder, "SELECT id FROM runs", parquet=file)
    again = query(store.folder, f"FROM read_parquet('{file}')")
    assert sorted(again.rows) == [("run-1",), ("run-2",), ("run-3",)]


@pytest.mark.parametrize("sql", ["SELECT nope FROM runs", "SELEC 1", ""])
def test_a_wrong_query_is_one_error(store: BaselineStore, sql: str) -> None:
    with pytest.raises(StoreError) as error:
        query(store.folder, sql)
    assert "\n" not in str(error.value)


def test_an_empty_store_has_nothing_to_ask(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no baseline"):
        query(BaselineStore(str(tmp_path)).folder, "SELECT 1")


def test_a_damaged_document_is_named(tmp_path: Path) -> None:
    store = BaselineStore(str(tmp_path))
    entry, _ = store.add("main", baseline(1))
    (tmp_path / "main" / entry.file_name).write_text('{"schema": ')
    with pytest.raises(StoreError, match=entry.file_name):
        query(store.folder, "SELECT * FROM runs")
