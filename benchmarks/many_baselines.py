"""How long commands take on a store of ten thousand baselines, as a user waits for them.

python benchmarks/many_baselines.py [--runs 10000] [--rounds 2]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.progress import track

from benchmarks.tables import Goal, print_table
from ocr_baseline.model.document import Baseline
from ocr_baseline.store.baselines import BaselineStore
from tests.ocr_baseline.examples import full_baseline

RUNS = 10_000
LIMIT_S = 5.0
SPREAD = 0.02
CONFIG_KEYS = 150
COMMAND = (sys.executable, "-m", "ocr_baseline.cli")


def document(number: int, factor: float) -> Baseline:
    """Return a whole document of realistic size with one time that varies."""
    example = full_baseline()
    started_at = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=number)
    train, *others = example.phases
    times = train.batch_time_s
    if times is None or times.median is None:
        raise ValueError("the example has no batch times")
    slower = times.model_copy(update={"median": times.median * factor})
    config = {f"key_{i}": {"_target_": "some.module.Class", "value": i} for i in range(CONFIG_KEYS)}
    return example.model_copy(
        update={
            "run": replace(example.run, id=f"r{number}", started_at=started_at),
            "workload": example.workload.model_copy(update={"config": config}),
            "phases": [train.model_copy(update={"batch_time_s": slower}), *others],
        }
    )


def fill(folder: Path, runs: int) -> None:
    """Write a store with that many runs under one name, and six new runs beside it."""
    rng = np.random.default_rng(0)
    store = BaselineStore(str(folder / "store"))
    first, _ = store.add("main", document(0, 1.0))
    text = (folder / "store" / "main" / first.file_name).read_text(encoding="utf-8")
    content = json.loads(text)
    content["run"] |= {"id": "<id>", "started_at": "<moment>"}
    content["phases"][0]["batch_time_s"]["median"] = "<median>"
    text = json.dumps(content, indent=1)
    for number in track(range(1, runs), description="writing"):
        # What `add` writes, without its look at what is there already, ten thousand times.
        moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=number)
        median = 0.168 * float(np.exp(rng.normal(0, SPREAD)))
        own = text.replace("<id>", f"r{number}").replace("<moment>", moment.isoformat())
        name = f"{moment:%Y%m%dT%H%M%SZ}-{first.fingerprint}-{number:08x}.json"
        path = folder / "store" / "main" / name
        path.write_text(own.replace('"<median>"', str(median)), encoding="utf-8")
    new = BaselineStore(str(folder / "new"))
    for number in range(6):
        new.add("runs", document(10**6 + number, 1.0 + number / 1000))


class Seconds(NamedTuple):
    """What a command took, from start to exit: on the wall, and of all processors."""

    wall: float
    processor: float


def seconds(folder: Path, rounds: int, *arguments: str) -> Seconds:
    """Return how long a command takes, the best of some rounds."""
    taken = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run(
            [*COMMAND, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        wall_s = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        taken.append(Seconds(wall_s, processor_s))
    return min(taken)


def main() -> int:
    """Measure, print the table and the goals; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    runs, rounds = arguments.runs, arguments.rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, runs)
        one = str(next((folder / "new" / "runs").iterdir()))
        query = "SELECT baseline, median(batch_time_median_s) FROM phases GROUP BY ALL"
        store = ("--store", "store")
        taken = partial(seconds, folder, rounds)
        measured = {
            "compare one run with the name": taken("compare", "main", one, *store),
            "compare six runs with every file": taken("compare", "store/main", "--", "new/runs"),
            "check one run against the name": taken("check", one, "--baseline", "main", *store),
            "trend of the latest 200 of the name": taken("trend", "main", *store),
            "list the names": taken("baseline", "list", *store),
            "query all documents": taken("baseline", "query", query, *store),
        }
    print(f"\n{runs:,} baselines\n")
    rows = [[name, f"{s.wall:.2f}", f"{s.processor:.2f}"] for name, s in measured.items()]
    print_table(("command", "wall s", "processor s"), rows)
    print()
    return Goal.report(
        *(Goal(name, s.wall, LIMIT_S) for name, s in measured.items() if name.startswith("compare"))
    )


if __name__ == "__main__":
    sys.exit(main())
