"""Long runs as the recorder and each logger keep them; the loggers' without their clients."""

from __future__ import annotations

import csv
import os
import struct
import zlib
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

RUN_ID = "abc123"
_STATISTICS = ("epoch_time", "num_batches", "batch_mean", "batch_median", "batch_p95", "batch_std")
_BLOCK_BYTES = 2**15


@dataclass(frozen=True)
class Length:
    """How many rows a run has, and how many of them are the steps of an epoch."""

    rows: int
    steps_per_epoch: int

    def written(self) -> Iterator[dict[str, float]]:
        """Yield the rows: a step each, and at the end of each epoch its statistics."""
        for step in range(self.rows):
            epoch = step // self.steps_per_epoch
            row: dict[str, float] = {"step": step, "epoch": epoch}
            if (step + 1) % self.steps_per_epoch == 0:
                for stage in ("train", "val"):
                    for place, name in enumerate(_STATISTICS):
                        row[f"performance/{stage}_{name}"] = 1.0 + place + epoch / 7
            else:
                row |= {"loss": 1 / (step + 1), "lr": 1e-3, "performance/train_batch_time": 0.25}
            yield row


@contextmanager
def _recorder(folder: Path, length: Length) -> Iterator[str]:
    """A "row" is a batch here, with ten operations in it."""
    from benchmarks.scale import write_records

    write_records(folder, length.rows)
    yield str(folder)


@contextmanager
def _csv(folder: Path, length: Length) -> Iterator[str]:
    path = folder / "metrics.csv"
    names = sorted(
        {
            name
            for row in Length(length.steps_per_epoch, length.steps_per_epoch).written()
            for name in row
        }
    )
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(length.written())
    yield str(path)


@contextmanager
def _tensorboard(folder: Path, length: Length) -> Iterator[str]:
    """A "row" is an event here: a scalar with its tag."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    def events() -> Iterator[tuple[int, str, float]]:
        for row in length.written():
            for tag, value in row.items():
                if tag != "step":
                    yield int(row["step"]), tag, value

    with (folder / "events.out.tfevents.1700000000.host").open("wb") as stream:
        writer = RecordWriter(stream)
        for number, (step, tag, value) in enumerate(events()):
            if number == length.rows:
                break
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            event = Event(wall_time=1.7e9 + number / 100, step=step, summary=summary)
            writer.write(event.SerializeToString())
        writer.flush()
    yield str(folder)


@contextmanager
def _wandb_offline(folder: Path, length: Length) -> Iterator[str]:
    from wandb.proto import wandb_internal_pb2 as messages

    path = folder / f"run-{RUN_ID}.wandb"
    with path.open("wb") as stream:
        log = _LogWriter(stream.write)
        run = messages.Record(run=messages.RunRecord(run_id=RUN_ID))  # type: ignore[attr-defined]  # generated
        log.add(run.SerializeToString())
        for step, row in enumerate(length.written()):
            for kind in ("history", "summary"):  # the client writes both at each call
                log.add(_wandb_record(messages, kind, step, row))
        end = messages.Record(exit=messages.RunExitRecord(exit_code=0))  # type: ignore[attr-defined]  # as above
        log.add(end.SerializeToString())
    yield str(path)


def _wandb_record(messages: Any, kind: str, step: int, row: Mapping[str, float]) -> bytes:
    record = messages.Record()
    items = record.history.item if kind == "history" else record.summary.update
    for name, value in {**row, "_step": step, "_runtime": step / 4}.items():
        item = items.add()
        item.nested_key.append(name)
        item.value_json = repr(value)
    content: bytes = record.SerializeToString()
    return content


class _LogWriter:
    """Cuts records into the fragments of LevelDB's log format."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._at = 0
        self._put(b":W&B" + struct.pack("<HB", 0xBEE1, 0))

    def add(self, record: bytes) -> None:
        """Write one record."""
        is_first = True
        while is_first or record:
            room = _BLOCK_BYTES - self._at % _BLOCK_BYTES
            if room < 7:
                self._put(bytes(room))
                room = _BLOCK_BYTES
            part, record = record[: room - 7], record[room - 7 :]
            kind = (2 if record else 1) if is_first else (3 if record else 4)
            crc = zlib.crc32(bytes([kind]) + part)
            self._put(struct.pack("<IHB", crc, len(part), kind) + part)
            is_first = False

    def _put(self, content: bytes) -> None:
        self._write(content)
        self._at += len(content)


@contextmanager
def _wandb_api(folder: Path, length: Length) -> Iterator[str]:
    from tests.integration import wandb_server
    from tests.integration.wandb_stored_run import StoredRun

    class LongRun(StoredRun):
        """A run whose last step needs no look at every row."""

        @property
        def last_step(self) -> int:
            return len(self.rows) - 1

        def history_keys(self) -> dict[str, Any]:
            return {"keys": {}, "lastStep": self.last_step, "sets": []}

    class LongServer(wandb_server.WandbServer):
        """Serves pages of a run whose rows stand in the order of their steps."""

        def answer(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
            if operation != "HistoryPage":
                return super().answer(operation, variables)
            low, high = (
                bisect_left(texts, int(variables[name]), key=lambda entry: entry[0])
                for name in ("minStep", "maxStep")
            )
            page = [text for _, text in texts[low:high][: variables["pageSize"]]]
            return {"project": {"run": {"history": page}}}

    import json

    stored = [{**row, "_step": step} for step, row in enumerate(length.written())]
    texts = [(step, json.dumps(row)) for step, row in enumerate(stored)]
    names = ("HOME", "WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR")
    before = dict(os.environ)
    with LongServer() as server:
        server.add(LongRun(id=RUN_ID, rows=stored))
        os.environ.update(dict.fromkeys(names, str(folder)))
        os.environ.update(WANDB_BASE_URL=server.url, WANDB_API_KEY=wandb_server.API_KEY)
        yield server.url
    os.environ.clear()
    os.environ.update(before)


@contextmanager
def _mlflow(folder: Path, length: Length) -> Iterator[str]:
    """A tracking folder; a "row" is a point of one metric here, a file for each metric."""
    run = folder / "0" / RUN_ID
    for name in ("metrics", "params", "tags", "artifacts"):
        (run / name).mkdir(parents=True)
    times = "start_time: 1700000000000\nend_time: 1700000060000\n"
    (folder / "0" / "meta.yaml").write_text(
        "experiment_id: '0'\nname: Default\nlifecycle_stage: active\n"
        f"artifact_location: {folder / '0'}\n"
    )
    (run / "meta.yaml").write_text(
        f"run_id: {RUN_ID}\nrun_uuid: {RUN_ID}\nrun_name: calm\nexperiment_id: '0'\nstatus: 3\n"
        f"lifecycle_stage: active\nuser_id: me\nartifact_uri: {run / 'artifacts'}\n"
        f"entry_point_name: ''\nsource_name: ''\nsource_type: 4\nsource_version: ''\n{times}"
    )
    lines: dict[str, list[str]] = {}
    points = 0
    for step, row in enumerate(length.written()):
        for name, value in row.items():
            if name != "step" and points < length.rows:
                points += 1
                lines.setdefault(name, []).append(f"{1_700_000_000_000 + step} {value} {step}\n")
    for name, written in lines.items():
        path = run / "metrics" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(written))
    before = os.environ.get("MLFLOW_ALLOW_FILE_STORE")
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    yield str(folder)
    if before is None:
        del os.environ["MLFLOW_ALLOW_FILE_STORE"]


WRITERS: Mapping[str, Callable[[Path, Length], AbstractContextManager[str]]] = {
    "recorder": _recorder,
    "csv": _csv,
    "tensorboard": _tensorboard,
    "wandb-offline": _wandb_offline,
    "wandb-api": _wandb_api,
    "mlflow": _mlflow,
}
