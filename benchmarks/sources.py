"""How fast each source reads a long run, beside the plain call of the client that it builds on.

`python benchmarks/sources.py [--rows N …] [--steps-per-epoch N] [--rounds N] [--only …]`

A run logs a row for each of its steps (loss, rate, batch time) and, each thousand steps, the
statistics of an epoch. Each reading is a process of its own, in turn the plain call and the
source; medians. The plain call gets all rows and does nothing with them. Two clocks: one of the
reading alone, imports before it, and one of the whole process from its start to its end. A source
that asks its client in a further process, to be able to give it up, starts that within the first
clock, imports included: its goal is that of the second, the others' that of the first.
A row of the recorder's files is a batch with ten operations; the plain call there is `json.loads`.
The W&B server and its runs are those of the project's tests, on the loopback interface.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peak_memory import own_peak_bytes
from benchmarks.source_runs import WRITERS, Length
from benchmarks.tables import Goal, print_table
from ocr_baseline.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1.5
WITHOUT_GOAL = ("recorder",)
"""Their plain call is no client's: `json.loads` neither checks a number nor keeps it."""
IN_A_FURTHER_PROCESS = ("wandb-api", "mlflow")
"""Sources whose client works in a process that the source starts."""
RUN_ID = "abc123"


def _plain_recorder(target: str) -> None:
    with Path(target, "rank_0.jsonl").open("rb") as lines:
        for line in lines:
            json.loads(line)


def _plain_csv(target: str) -> None:
    import pandas as pd

    pd.read_csv(target)


def _plain_tensorboard(target: str) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(target, size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    for tag in accumulator.Tags()["scalars"]:
        accumulator.Scalars(tag)


def _plain_wandb_offline(target: str) -> None:
    # The client's public way to these rows; its output is read and thrown away.
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", target]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout or ():
            json.loads(line)


def _plain_wandb_api(target: str) -> None:
    import wandb

    run = wandb.Api().run(f"baseline/{RUN_ID}")
    for _ in run.scan_history(page_size=10_000):
        pass


def _plain_mlflow(target: str) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=target)
    for key in client.get_run(RUN_ID).data.metrics:
        client.get_metric_history(RUN_ID, key)


def _ours_recorder(target: str) -> None:
    from ocr_baseline.records import reader

    reader.load(Path(target))


def _ours_csv(target: str) -> None:
    from ocr_baseline.sources import csv_logger

    csv_logger.load(Path(target))


def _ours_tensorboard(target: str) -> None:
    from ocr_baseline.sources import tensorboard_events

    tensorboard_events.load(Path(target))


def _ours_wandb_offline(target: str) -> None:
    from ocr_baseline.sources.wandb import offline as wandb_offline

    wandb_offline.load(Path(target))


def _ours_wandb_api(target: str) -> None:
    from ocr_baseline.sources.source import ReadOptions
    from ocr_baseline.sources.wandb import api as wandb_api

    wandb_api.load(RUN_ID, ReadOptions(project="baseline", timeout_s=120))


def _ours_mlflow(target: str) -> None:
    from ocr_baseline.sources.mlflow import run as mlflow_run
    from ocr_baseline.sources.source import ReadOptions

    mlflow_run.load(RUN_ID, ReadOptions(mlflow_uri=target, timeout_s=120))


READERS: dict[str, tuple[Callable[[str], None], Callable[[str], None]]] = {
    "recorder": (_plain_recorder, _ours_recorder),
    "csv": (_plain_csv, _ours_csv),
    "tensorboard": (_plain_tensorboard, _ours_tensorboard),
    "wandb-offline": (_plain_wandb_offline, _ours_wandb_offline),
    "wandb-api": (_plain_wandb_api, _ours_wandb_api),
    "mlflow": (_plain_mlflow, _ours_mlflow),
}
RECORDS_READER = "ocr_baseline.records.reader"
IMPORTS = {
    "recorder": (),
    "csv": ("pandas",),
    "tensorboard": ("pandas", "tensorboard.backend.event_processing.event_accumulator"),
    "wandb-offline": ("wandb", "wandb.proto.wandb_internal_pb2"),
    "wandb-api": ("wandb",),
    "mlflow": ("mlflow",),
}


def main() -> int:
    """Measure, print a table and the goals; return 0 when all are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--steps-per-epoch", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--read", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        return _read(*arguments.read)
    table, goals = [], []
    for source in arguments.only:
        for rows in arguments.rows:
            with (
                tempfile.TemporaryDirectory() as folder,
                WRITERS[source](Path(folder), Length(rows, arguments.steps_per_epoch)) as at,
            ):
                found = _measure(source, at, arguments.rounds)
            table.append([source, f"{rows:,}", *_cells(found, rows)])
            if source not in WITHOUT_GOAL:
                clock = "whole_s" if source in IN_A_FURTHER_PROCESS else "reading_s"
                name = f"{source}, {rows:,} rows: time over the plain call's"
                goals.append(Goal(name, _ratio(found, clock), LIMIT))
            print_table(_HEADER, table[-1:])
    print_table(_HEADER, table)
    return Goal.report(*goals)


_HEADER = (
    *("source", "rows", "plain s", "source s", "ratio", "rows/s"),
    *("whole plain s", "whole source s", "whole ratio", "plain MiB", "source MiB"),
)


def _measure(source: str, target: str, rounds: int) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {"plain": [], "source": []}
    for _ in range(rounds):
        for which, readings in found.items():
            began_s = time.perf_counter()
            done = subprocess.run(
                [sys.executable, __file__, "--read", source, which, target],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            whole_s = time.perf_counter() - began_s
            readings.append(json.loads(done.stdout.splitlines()[-1]) | {"whole_s": whole_s})
    return found


def _read(source: str, which: str, target: str) -> int:
    """Read once in this process and print seconds and peak memory as JSON."""
    is_source = which == "source"
    for module in _imports(source, is_source=is_source):
        importlib.import_module(module)
    read = READERS[source][is_source]
    began_s = time.perf_counter()
    read(target)
    reading_s = time.perf_counter() - began_s
    # What a child's peak inherits is this process's, which is in the maximum anyway.
    child_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    peak_mib = max(own_peak_bytes(), child_bytes) / 2**20
    print(json.dumps({"reading_s": reading_s, "peak_mib": peak_mib}))
    sys.stdout.flush()
    # The W&B client's service may keep its process at its exit.
    os._exit(0)


def _imports(source: str, *, is_source: bool) -> tuple[str, ...]:
    if not is_source:
        return IMPORTS[source]
    own = (
        RECORDS_READER
        if source == "recorder"
        else {str(name): module for name, module in SOURCES.items()}[source]
    )
    return (own,) if source in IN_A_FURTHER_PROCESS else (*IMPORTS[source], own)


def _median(readings: list[dict[str, float]], name: str) -> float:
    return statistics.median(reading[name] for reading in readings)


def _ratio(found: dict[str, list[dict[str, float]]], clock: str) -> float:
    return statistics.median(
        ours[clock] / plain[clock]
        for plain, ours in zip(found["plain"], found["source"], strict=True)
    )


def _cells(found: dict[str, list[dict[str, float]]], rows: int) -> list[str]:
    reading = _clock_cells(found, "reading_s")
    speed = f"{rows / _median(found['source'], 'reading_s'):,.0f}"
    peaks = [f"{_median(found[which], 'peak_mib'):.0f}" for which in ("plain", "source")]
    return [*reading, speed, *_clock_cells(found, "whole_s"), *peaks]


def _clock_cells(found: dict[str, list[dict[str, float]]], clock: str) -> list[str]:
    plain_s, ours_s = (_median(found[which], clock) for which in ("plain", "source"))
    return [f"{plain_s:.2f}", f"{ours_s:.2f}", f"{_ratio(found, clock):.2f}"]


if __name__ == "__main__":
    sys.exit(main())
