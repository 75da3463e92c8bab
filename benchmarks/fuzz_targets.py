"""What is fuzzed: readings of files that anybody may have written, and small real files of each.

An input of several files holds them one after the other with a null byte between them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fuzz_mutations import (
    mutated_events,
    mutated_json_lines,
    mutated_text,
    mutated_wandb_log,
)
from benchmarks.source_runs import WRITERS, Length
from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.errors import BaselineError
from ocr_baseline.model.document_file import parse_baseline, read_baseline
from ocr_baseline.records import reader
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.reports.run.markdown import render_markdown
from ocr_baseline.sources import csv_logger, tensorboard_events
from ocr_baseline.sources.wandb import offline as wandb_offline
from tests.ocr_baseline.examples import full_baseline, one_batch_baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.fuzz_mutations import Mutator
    from ocr_baseline.model.document import Baseline

SEPARATOR = b"\x00"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One kind of input: its files, how they are read and changed, small ones to begin with."""

    file_names: tuple[str, ...]
    read: Callable[[Path], Baseline]
    mutate: Mutator
    seeds: Callable[[], Iterator[bytes]]

    def test(self, content: bytes, folder: Path) -> None:
        """Read an input; a reading can be shown and stored, an error is one of ours.

        Raises:
            Exception: Any other error, which is a finding.
        """
        parts = [content]
        if len(self.file_names) > 1:
            parts = content.split(SEPARATOR, len(self.file_names) - 1)
        for name in self.file_names:
            (folder / name).unlink(missing_ok=True)
        for name, part in zip(self.file_names, parts, strict=False):
            (folder / name).write_bytes(part)
        try:
            baseline = self.read(folder)
        except BaselineError:
            return
        render_markdown(baseline)
        parse_baseline(render_json(baseline).encode("utf-8", "replace"), "the reading")


def _documents() -> Iterator[bytes]:
    for baseline in (full_baseline(), one_batch_baseline()):
        yield json.dumps(json.loads(render_json(baseline)), separators=(",", ":")).encode()


_DEVICE_BATCH = (
    b'{"type":"device_batch","stage":"train","position":0,"is_first_of_epoch":true,'
    b'"clock":"CUDA events","lines_ns":{"forward":50000,"backward":70000}}\n'
)
"""A record that only a training on a GPU writes."""


def _records() -> Iterator[bytes]:
    """Yield the records of a short training with loader workers, alone and as two ranks."""
    from benchmarks.fuzz_training import train

    with tempfile.TemporaryDirectory() as folder:
        train(Path(folder))
        records = reader.find_records(Path(folder))
        own = (records / "rank_0.jsonl").read_bytes()
        worker = next(iter(sorted(records.glob("rank_0_worker_*.jsonl")))).read_bytes()
    yield SEPARATOR.join((own, b"", worker))
    own += _DEVICE_BATCH
    several = own.replace(b'"world_size":1', b'"world_size":2')
    yield SEPARATOR.join((several, several, worker))


def _written(source: str, name: str, rows: int = 12) -> Iterator[bytes]:
    """Yield the file that a logger leaves of a run of so many rows, four to an epoch."""
    folder = Path(tempfile.mkdtemp())
    try:
        with WRITERS[source](folder, Length(rows, 4)):
            content = next(folder.glob(name)).read_bytes()
    finally:
        shutil.rmtree(folder)
    yield content


def _csv_with_hyperparameters() -> Iterator[bytes]:
    for content in _written("csv", "metrics.csv"):
        yield content
        yield (
            content + SEPARATOR + b"lr: 0.1\nmodel: {name: tiny, sizes: [1, 2]}\nbase: &b {a: 1}\n"
        )


TARGETS = {
    "documents": Target(
        file_names=("baseline.json",),
        read=lambda folder: read_baseline(folder / "baseline.json"),
        mutate=mutated_json_lines,
        seeds=_documents,
    ),
    "records": Target(
        file_names=("rank_0.jsonl", "rank_1.jsonl", "rank_0_worker_train_0.jsonl"),
        read=lambda folder: analyze(reader.load(folder)),
        mutate=mutated_json_lines,
        seeds=_records,
    ),
    "csv": Target(
        file_names=("metrics.csv", "hparams.yaml"),
        read=lambda folder: analyze(csv_logger.load(folder)),
        mutate=mutated_text,
        seeds=_csv_with_hyperparameters,
    ),
    "tensorboard": Target(
        file_names=("events.out.tfevents.1700000000.host",),
        read=lambda folder: analyze(tensorboard_events.load(folder)),
        mutate=mutated_events,
        seeds=lambda: _written("tensorboard", "*tfevents*", rows=60),
    ),
    "wandb": Target(
        file_names=("run-abc123.wandb",),
        read=lambda folder: analyze(wandb_offline.load(folder)),
        mutate=mutated_wandb_log,
        seeds=lambda: _written("wandb-offline", "run-*.wandb"),
    ),
}
