"""How long the records of many ranks take to become one report, and how much memory.

The records are simulated: the files that a rank's recorder writes, with times from a seeded random
generator. They are read and reported on in a process of its own, whose peak memory is measured.

    python benchmarks/ranks.py [--ranks 1024] [--batches 1000]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.peak_memory import own_peak_bytes
from benchmarks.tables import Goal, print_table
from ocr_baseline.records.format import FORMAT_NAME, FORMAT_VERSION, ROWS_PER_RECORD
from ocr_baseline.records.writer import RecordWriter

LINES = ("data_wait", "transfer", "forward", "backward", "optimizer", "logging", "other")
MEAN_LINE_NS = 4_000_000
GOAL_S = 10.0
GOAL_MIB = 500.0


def write_rank(folder: Path, rank: int, world_size: int, batches: int) -> None:
    """Write the records of one rank: two stages with as many batches each."""
    random = np.random.default_rng(rank)
    writer = RecordWriter(folder / f"rank_{rank}.jsonl")
    writer.write(
        {
            "type": "header",
            "format": FORMAT_NAME,
            "version": FORMAT_VERSION,
            "world_size": world_size,
        }
    )
    for stage in ("train", "validation"):
        for first in range(0, batches, ROWS_PER_RECORD):
            count = min(ROWS_PER_RECORD, batches - first)
            lines = random.gamma(4.0, MEAN_LINE_NS / 4, (len(LINES), count)).astype(int)
            durations = lines.sum(axis=0)
            writer.write(
                {
                    "type": "batches",
                    "stage": stage,
                    "epoch": [0] * count,
                    "batch_idx": list(range(first, first + count)),
                    "dataloader_idx": [0] * count,
                    "samples": [8] * count,
                    "start_ns": (np.cumsum(durations) - durations).tolist(),
                    "lines_ns": dict(zip(LINES, lines.tolist(), strict=True)),
                }
            )
        writer.write(
            {
                "type": "epoch",
                "stage": stage,
                "epoch": 0,
                "start_ns": 0,
                "batches": batches,
                "events": 9,
                "tail_ns": {"other": 1_000_000},
            }
        )
    writer.write({"type": "status", "status": "finished", "at_ns": 10**9})
    writer.close()


def report_on(folder: Path) -> None:
    """Write the report and print what it took, as JSON."""
    from ocr_baseline.records import reader
    from ocr_baseline.write import write_report

    began_s = time.perf_counter()
    run = reader.load(folder)
    loaded_s = time.perf_counter()
    write_report(run, folder)
    print(
        json.dumps(
            {
                "read_s": loaded_s - began_s,
                "report_s": time.perf_counter() - loaded_s,
                "peak_mib": own_peak_bytes() / 2**20,
                "ranks": len(run.ranks),
            }
        )
    )


def main() -> int:
    """Simulate, measure, print; 0 when both goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, default=1024)
    parser.add_argument("--batches", type=int, default=1000, help="of each of two stages")
    parser.add_argument("--report-on", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.report_on is not None:
        report_on(arguments.report_on)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rank in range(arguments.ranks):
            write_rank(folder, rank, arguments.ranks, arguments.batches)
        size_mib = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
        command = [sys.executable, __file__, "--report-on", str(folder)]
        measured = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    total_s = measured["read_s"] + measured["report_s"]
    print_table(
        ("records", "ranks", "size", "read", "report", "peak memory"),
        [
            (
                f"{arguments.batches} batches of two stages",
                f"{measured['ranks']:,}",
                f"{size_mib:.0f} MiB",
                f"{measured['read_s']:.1f} s",
                f"{measured['report_s']:.1f} s",
                f"{measured['peak_mib']:.0f} MiB",
            )
        ],
    )
    return Goal.report(
        Goal("seconds from records to report", total_s, GOAL_S),
        Goal("peak memory in MiB", measured["peak_mib"], GOAL_MIB),
    )


if __name__ == "__main__":
    sys.exit(main())
