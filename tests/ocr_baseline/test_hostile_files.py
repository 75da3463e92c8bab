"""Files of any content give a reading or a clear error, nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.errors import BaselineError
from ocr_baseline.model.document import Baseline
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.model.run import RunInfo
from ocr_baseline.records import reader
from ocr_baseline.records.format import FORMAT_NAME
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.reports.run.markdown import render_markdown
from ocr_baseline.sources import csv_logger, tensorboard_events
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import run_of
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.examples import full_baseline
from tests.property_sizes import examples

SETTINGS = settings(
    max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HEADER = {"type": "header", "format": FORMAT_NAME, "version": 1}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [*(stage.value for stage in Stage), "finished", "main", "worker", FORMAT_NAME]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
KEYS = [
    "type",
    "format",
    "version",
    "run",
    "environment",
    "config",
    "world_size",
    "stage",
    "epoch",
    "batch_idx",
    "dataloader_idx",
    "samples",
    "start_ns",
    "lines_ns",
    "tail_ns",
    "batches",
    "events",
    "at_ns",
    "status",
    "ended_by",
    "memory",
    "name",
    "where",
    "calls",
    "total_ns",
    "exclusive_ns",
    "call_sample_ns",
    "worker",
    "pid",
    "asked_ns",
    "ready_ns",
    "end_ns",
    "reports",
    "position",
    "flops",
    "operators",
    "metric",
    "why",
]
KINDS = [
    "header",
    "batches",
    "epoch",
    "operation",
    "memory",
    "device_batch",
    "profile_window",
    "flops",
    "not_measured",
    "status",
    "worker_start",
    "worker_batches",
    "other",
]
records = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=12),
)


def reading_or_error(read: Callable[[], Any]) -> Any:
    """Return what was read, None for an error of ours; any other error is the test's."""
    try:
        return read()
    except BaselineError:
        return None


def check_document(baseline: Baseline | None) -> None:
    """A reading can be shown and written."""
    if baseline is not None:
        assert render_markdown(baseline)
        json.loads(render_json(baseline))


@SETTINGS
@given(content=st.binary(max_size=400))
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("baseline.json", read_baseline),
        ("rank_0.jsonl", lambda path: analyze(reader.load(path.parent))),
        ("metrics.csv", lambda path: analyze(csv_logger.load(path.parent))),
        ("events.out.tfevents.1.host", lambda path: analyze(tensorboard_events.load(path.parent))),
    ],
)
def test_any_bytes_give_a_reading_or_a_clear_error(
    tmp_path: Path, name: str, read: Callable[[Path], Any], content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    check_document(reading_or_error(lambda: read(path)))


@pytest.mark.slow
@SETTINGS
@given(lines=st.lists(records, max_size=6), ranks=st.lists(records, max_size=3))
def test_records_of_any_content_give_a_reading_or_a_clear_error(
    tmp_path: Path, lines: list[dict[str, Any]], ranks: list[dict[str, Any]]
) -> None:
    for name, content in (("rank_0", [HEADER | {"world_size": 2}, *lines]), ("rank_1", ranks)):
        text = "\n".join(json.dumps(record) for record in content)
        (tmp_path / f"{name}.jsonl").write_text(text)
    check_document(reading_or_error(lambda: analyze(reader.load(tmp_path))))


@pytest.mark.slow
@SETTINGS
@given(data=st.data())
def test_a_document_with_any_field_exchanged_gives_a_reading_or_a_clear_error(
    tmp_path: Path, data: st.DataObject
) -> None:
    document = json.loads(render_json(full_baseline()))
    place = document
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(json_values)
            break
        place = place[key]
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(document))
    check_document(reading_or_error(lambda: read_baseline(path)))


@SETTINGS
@given(
    cells=st.lists(st.lists(st.text(max_size=10) | st.floats().map(str), max_size=5), max_size=6)
)
def test_a_csv_of_any_cells_gives_a_reading_or_a_clear_error(
    tmp_path: Path, cells: list[list[str]]
) -> None:
    header = "step,epoch,performance/val_epoch_time,performance/train_batch_mean,performance/x\n"
    body = "\n".join(",".join(row) for row in cells)
    (tmp_path / "metrics.csv").write_text(header + body, encoding="utf-8", errors="replace")
    check_document(reading_or_error(lambda: analyze(csv_logger.load(tmp_path))))


def _document(folder: Path, *place: Any) -> Baseline:
    document = changed = json.loads(render_json(full_baseline()))
    for key in place[:-1]:
        changed = changed[key]
    changed[place[-1]] = 10**400
    (folder / "baseline.json").write_text(json.dumps(document))
    return read_baseline(folder / "baseline.json")


def _records_of_a_batch(folder: Path, **values: float) -> Baseline:
    places = ("epoch", "batch_idx", "dataloader_idx", "samples", "start_ns")
    columns = {place: [values.get(place, 0)] for place in places}
    batches = {"type": "batches", "stage": "train", **columns, "lines_ns": {"forward": [5]}}
    lines = [json.dumps(HEADER), json.dumps(batches)]
    (folder / "rank_0.jsonl").write_text("\n".join(lines))
    return analyze(reader.load(folder))


def _records_of_a_vast_worker(folder: Path, *, number: int, prefetch_factor: int) -> Baseline:
    places = list(range(40))
    columns = {"epoch": [0] * 40, "batch_idx": places, "dataloader_idx": [0] * 40}
    lines_ns = {"data_wait": [70_000_000] * 40, "op:work": [30_000_000] * 40}
    start_ns = [100_000_000 * (place + 1) for place in places]
    times = {"samples": [1] * 40, "start_ns": start_ns, "lines_ns": lines_ns}
    made = {"start_ns": [at + 1 for at in start_ns], "end_ns": [at + 60_000_000 for at in start_ns]}
    who = {"stage": "train", "worker": number, "pid": 7}
    start = {"asked_ns": 50, "ready_ns": 60, "prefetch_factor": prefetch_factor}
    tally = {"calls": 40, "total_ns": 1_200_000_000, "call_sample_ns": []}
    lines = [
        HEADER,
        {"type": "batches", "stage": "train", **columns, **times},
        {"type": "operation", "name": "work", "stage": "train", "where": "main", **tally},
        HEADER | who | start | {"type": "worker_start"},
        who | made | {"type": "worker_batches", "lines_ns": {"fetch": [60_000_000] * 40}},
    ]
    (folder / "rank_0.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return analyze(reader.load(folder))


def _csv(folder: Path, *, number: str = "1.5", config: str = "") -> Baseline:
    header = "step,epoch,performance/val_epoch_time,performance/val_num_batches\n"
    (folder / "metrics.csv").write_text(f"{header}-1,1e300,{number},{number}\n")
    (folder / "hparams.yaml").write_text(config)
    return analyze(csv_logger.load(folder))


def _live_metrics(folder: Path) -> Baseline:
    return analyze(
        run_of(RunInfo(source="csv"), read_rows([{"performance/val_epoch_time": 10**400}]))
    )


def _events(folder: Path, *, wall_time: float = 1.0, rest: bytes = b"") -> Baseline:
    event_pb2 = pytest.importorskip("tensorboard.compat.proto.event_pb2")
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    value = Summary.Value(tag="performance/val_epoch_time", simple_value=2.0)
    event = event_pb2.Event(wall_time=wall_time, step=1, summary=Summary(value=[value]))
    with (folder / "events.out.tfevents.1.host").open("wb") as file:
        for content in (event.SerializeToString(), rest):
            RecordWriter(file).write(content)
    return analyze(tensorboard_events.load(folder))


@pytest.mark.slow
@pytest.mark.parametrize(
    "read",
    [
        lambda folder: _document(folder, "phases", 0, "batches"),
        lambda folder: _document(folder, "environment", "identity", "batch_size"),
        lambda folder: _records_of_a_batch(folder, samples=1e300),
        lambda folder: _records_of_a_batch(folder, epoch=-1),
        lambda folder: _records_of_a_batch(folder, dataloader_idx=2**62),
        lambda folder: _records_of_a_vast_worker(folder, number=2**38, prefetch_factor=2),
        lambda folder: _records_of_a_vast_worker(folder, number=0, prefetch_factor=2**62),
        lambda folder: _csv(folder, number="1e300"),
        lambda folder: _csv(folder, config="day: 2001-99-99"),
        lambda folder: _csv(folder, config="[" * 100_000),
        lambda folder: _csv(folder, config="number: " + "9" * 10_000),
        _live_metrics,
        lambda folder: _events(folder, wall_time=1e300),
        lambda folder: _events(folder, wall_time=float("nan")),
        lambda folder: _events(folder, rest=b"\xff\xff"),
    ],
    ids=[
        "a count of 400 digits",
        "a batch size of 400 digits",
        "records of 1e300 samples",
        "records before the first epoch",
        "records of a loader of a number that no run has",
        "a worker of a number that no machine runs",
        "a loader that asks for more than it can hold",
        "1e300 batches in a CSV",
        "a date that no calendar has",
        "YAML nested too deep",
        "a setting of 10,000 digits",
        "a metric of 400 digits",
        "an event after the end of time",
        "an event at no time",
        "an event that is none",
    ],
)
def test_values_beyond_any_run_give_a_reading_or_a_clear_error(
    tmp_path: Path, read: Callable[[Path], Baseline]
) -> None:
    check_document(reading_or_error(lambda: read(tmp_path)))


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"1" * 5_000_000,
        b'{"schema":"ocr-baseline","schema_version":"1' + b"0" * 5000 + b'"}',
        b"\x00" * 1_000_000,
    ],
    ids=["lists", "objects", "digits", "version", "nulls"],
)
def test_deep_and_long_files_end_in_an_error_in_bounded_time(
    tmp_path: Path, content: bytes
) -> None:
    for name in ("baseline.json", "rank_0.jsonl"):
        (tmp_path / name).write_bytes(content)
    assert reading_or_error(lambda: read_baseline(tmp_path / "baseline.json")) is None
    assert reading_or_error(lambda: reader.load(tmp_path)) is None
