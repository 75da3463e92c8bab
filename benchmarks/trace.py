"""The trace of a long run: what exporting it takes, what it weighs, and whether it is well formed.

Runs of 10^3 to 10^6 batches are recorded on a simulated clock (`scale.py`). Each is exported by the
command in a process of its own. The file is then parsed whole, and each event is held against the
rules of the Trace Event Format on which its readers rely: the fields that its kind needs, numbers
that are finite and not negative, and slices of one row that are nested or apart.

    python benchmarks/trace.py [--batches 1000 100000 1000000]
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peak_memory import own_peak_bytes
from benchmarks.scale import write_records
from benchmarks.tables import Goal, print_table
from ocr_baseline.cli import main as ocr_baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MEGABYTE = 1e6
EXPORT_GOAL_S = 20.0
MEMORY_GOAL_MB = 300.0
SIZE_GOAL_MB = 50.0
"""Perfetto's page opens a file of this size within seconds."""
NEEDED = {
    "X": {"pid", "tid", "ts", "dur", "name", "cat"},
    "C": {"pid", "ts", "name", "args"},
    "M": {"pid", "name", "args"},
}
NESTING_TOLERANCE_US = 0.0015
"""Instants have three decimals, so an end that was summed can be a step beyond its parent's."""


def broken_rules(events: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Return how often each rule of the format is broken."""
    found: Counter[str] = Counter()
    rows: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in events:
        found.update(_broken_by(event))
        if event["ph"] == "X":
            row = rows.setdefault((event["pid"], event["tid"]), [])
            row.append((event["ts"], event["ts"] + event["dur"]))
    found["slices of a row overlap"] += sum(_overlaps(row) for row in rows.values())
    return +found


def _broken_by(event: Mapping[str, Any]) -> Iterator[str]:
    kind = event.get("ph")
    if kind not in NEEDED:
        yield f"unknown kind {kind}"
        return
    if lacking := NEEDED[kind] - event.keys():
        yield f"{kind} lacks {', '.join(sorted(lacking))}"
    for name in ("ts", "dur"):
        if not 0 <= event.get(name, 0) < math.inf:
            yield f"{kind} has no such {name}"
    if kind == "C" and not all(
        isinstance(value, (int, float)) and math.isfinite(value) for value in event["args"].values()
    ):
        yield "a counter's value is no number"


def _overlaps(row: list[tuple[float, float]]) -> int:
    """Return how many slices of a row begin in another one and end after it."""
    count = 0
    open_until: list[float] = []
    for start, end in sorted(row, key=lambda one: (one[0], -one[1])):
        while open_until and open_until[-1] <= start + NESTING_TOLERANCE_US:
            open_until.pop()
        if open_until and end > open_until[-1] + NESTING_TOLERANCE_US:
            count += 1
        open_until.append(end)
    return count


def export(folder: Path, output: Path) -> tuple[float, float]:
    """Return the seconds and the megabytes that the command takes in a process of its own."""
    begin_s = time.perf_counter()
    command = [sys.executable, __file__, "--export", str(folder), "--output", str(output)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return time.perf_counter() - begin_s, float(done.stdout) / MEGABYTE


def measure(batches: int, folder: Path) -> tuple[tuple[str, ...], list[Goal]]:
    """Return a row of the table, and what it says about the goals."""
    write_records(folder / "records", batches)
    output = folder / "trace.json"
    export_s, peak_mb = export(folder, output)
    content = json.loads(output.read_text(encoding="utf-8"))
    broken = broken_rules(content["traceEvents"])
    for rule, count in broken.items():
        print(f"{batches:,} batches: {count:,} times: {rule}")
    size_mb = output.stat().st_size / MEGABYTE
    row = (
        f"{batches:,}",
        f"{export_s:.1f}",
        f"{peak_mb:.0f}",
        f"{size_mb:.1f}",
        f"{len(content['traceEvents']):,}",
        f"{broken.total():,}",
    )
    subject = f"trace of {batches:,} batches"
    return row, [
        Goal(f"{subject}, s", export_s, EXPORT_GOAL_S),
        Goal(f"{subject}, peak MB", peak_mb, MEMORY_GOAL_MB),
        Goal(f"{subject}, file MB", size_mb, SIZE_GOAL_MB),
        Goal(f"{subject}, broken rules", float(broken.total()), 0.0),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=[1000, 100_000, 1_000_000])
    parser.add_argument("--export", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.export is not None:
        status = ocr_baseline(["trace", str(options.export), "-o", str(options.output)])
        print(own_peak_bytes())
        return status
    rows, goals = [], []
    for batches in options.batches:
        with tempfile.TemporaryDirectory() as folder:
            row, found = measure(batches, Path(folder))
        rows.append(row)
        goals += found
    header = ["batches", "exported in s", "peak MB", "file MB", "events", "broken rules"]
    print_table(header, rows)
    return Goal.report(*goals)


if __name__ == "__main__":
    sys.exit(main())
