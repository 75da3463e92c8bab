"""SQL over the documents of a store, read in place by DuckDB: JSON files, local or at a URL.

Three views: `runs` (a row a run), `phases` (a row a run and phase), `lines` (a row a run, phase
and line of the breakdown). Times are seconds, sizes bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from ocr_baseline.store.folder import StoreFolder

ALL_RUNS = "*/*Z-*.json"
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024
_COLUMNS = {
    "run": "STRUCT(id VARCHAR, name VARCHAR, status VARCHAR, started_at VARCHAR,"
    " duration_s DOUBLE)",
    "environment": "STRUCT(identity JSON, volatile STRUCT(hostname VARCHAR, git_commit VARCHAR))",
    "workload": "STRUCT(config_hash VARCHAR, data_hash VARCHAR)",
    "memory": "STRUCT(process_tree_rss_bytes STRUCT(peak DOUBLE))",
    "phases": "STRUCT(name VARCHAR, dataloader INTEGER, epochs INTEGER, batches INTEGER,"
    " samples INTEGER, total_s DOUBLE, sample_time_s DOUBLE, throughput_samples_per_s DOUBLE,"
    " batch_time_s STRUCT(median DOUBLE, p95 DOUBLE, p99 DOUBLE),"
    " breakdown STRUCT(name VARCHAR, total_s DOUBLE, share DOUBLE, per_batch_s DOUBLE)[])[]",
}
_SETUP = """
CREATE VIEW documents AS
SELECT *, split_part(filename, '/', -2) AS baseline, split_part(filename, '/', -1) AS file
FROM read_json($pattern, columns = {columns}, filename = true, maximum_object_size = {size});
CREATE VIEW runs AS
SELECT baseline, file, run.id AS id, run.name AS name, run.status AS status,
  TRY_CAST(run.started_at AS TIMESTAMPTZ) AS started_at, run.duration_s AS duration_s,
  split_part(file, '-', 2) AS fingerprint, environment.volatile.hostname AS hostname,
  environment.volatile.git_commit AS git_commit, environment.identity AS identity,
  documents.memory.process_tree_rss_bytes.peak AS peak_rss_bytes
FROM documents;
CREATE VIEW phases AS
SELECT baseline, file, phase.name AS phase, phase.dataloader AS dataloader,
  phase.epochs AS epochs, phase.batches AS batches, phase.samples AS samples,
  phase.total_s AS total_s, phase.batch_time_s.median AS batch_time_median_s,
  phase.batch_time_s.p95 AS batch_time_p95_s, phase.batch_time_s.p99 AS batch_time_p99_s,
  phase.sample_time_s AS sample_time_s,
  phase.throughput_samples_per_s AS throughput_samples_per_s, phase.breakdown AS breakdown
FROM (SELECT baseline, file, unnest(phases) AS phase FROM documents);
CREATE VIEW lines AS
SELECT baseline, file, phase, line.name AS line, line.total_s AS total_s, line.share AS share,
  line.per_batch_s AS per_batch_s
FROM (SELECT baseline, file, phase, unnest(breakdown) AS line FROM phases
      WHERE dataloader IS NULL);
"""


@dataclass(frozen=True, kw_only=True)
class QueryResult:
    """The rows of a query, as DuckDB gives them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def query(folder: StoreFolder, sql: str, *, parquet: Path | None = None) -> QueryResult:
    """Return what a SELECT over the store's views gives.

    Args:
        folder: The store.
        sql: The query, over `runs`, `phases` and `lines`.
        parquet: Write the rows into this Parquet file too.

    Raises:
        StoreError: When DuckDB is not installed, when the store holds nothing, when a document is
            damaged or the query is wrong.
    """
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise StoreError(
            "queries need the package duckdb: pip install 'ocr-baseline[store]'"
        ) from error
    connection = duckdb.connect()
    try:
        _create_views(connection, folder)
        relation = connection.sql(sql)
        if relation is None:
            raise StoreError("the query gives no rows; write a SELECT")
        if parquet is not None:
            relation.write_parquet(str(parquet))
        return QueryResult(columns=tuple(relation.columns), rows=tuple(relation.fetchall()))
    except (duckdb.Error, OSError) as error:
        first = " ".join(str(error).split())
        raise StoreError(f"can't query {folder}: {first}") from error
    finally:
        connection.close()


def _create_views(connection: duckdb.DuckDBPyConnection, folder: StoreFolder) -> None:
    if not any(folder.files(name) for name in folder.folders()):
        raise StoreError(f"{folder} holds no baseline")
    pattern = folder.pattern(ALL_RUNS)
    if not folder.is_local:
        connection.register_filesystem(folder.file_system)
    columns = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS.items()) + "}"
    setup = _SETUP.format(columns=columns, size=MAX_DOCUMENT_BYTES)
    quoted = "'" + pattern.replace("'", "''") + "'"
    connection.execute(setup.replace("$pattern", quoted))
