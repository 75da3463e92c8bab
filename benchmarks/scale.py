"""Long runs: what the records weigh, and what time and memory their report takes.

Records of 10^4 to 10^6 batches, ten operations in each, are written through the recorder on a clock
that the benchmark moves. A process of its own then reads them, analyzes them and writes the report.

    python benchmarks/scale.py [--batches 10000 100000 1000000] [--repeats 3] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.peak_memory import own_peak_bytes
from benchmarks.tables import Goal, print_table
from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.measure.sections import listen, section
from ocr_baseline.records import reader as recorder_source
from ocr_baseline.vocabulary import Line, Stage
from ocr_baseline.write import write_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr_baseline.measure.timeline import Span

EPOCHS = 10
VALIDATION_SHARE = 0.2
OPERATIONS = tuple(f"operation_{number}" for number in range(10))
STEP_LINES = (
    Line.TRANSFER,
    Line.BACKWARD,
    Line.OPTIMIZER,
    Line.METRICS,
    Line.LOGGING,
    Line.CALLBACKS,
    Line.PROFILER,
)
BATCH_SIZE = 4
MEDIAN_SPAN_NS = 1_000_000
SPANS_IN_CYCLE = 8191

MEGABYTE = 1e6
MEMORY_GOAL_MB = 300.0
TIMES_GOAL_S = {10_000: 0.4, 1_000_000: 8.0}
"""What reading and reporting so many batches may take."""
LINEAR_GOAL = 1.2
MOST_BATCHES = 1_000_000


class SimulatedClock:
    """Each reading is later than the one before by a time of a log-normal spread."""

    def __init__(self) -> None:
        """Begin at 0."""
        numbers = random.Random(0)  # noqa: S311 - spread, not secrecy
        spans_ns = [
            int(MEDIAN_SPAN_NS * numbers.lognormvariate(0, 1)) for _ in range(SPANS_IN_CYCLE)
        ]
        self._spans_ns = cycle(spans_ns)
        self._now_ns = 0

    def __call__(self) -> int:
        """Return nanoseconds."""
        self._now_ns += next(self._spans_ns)
        return self._now_ns


def write_records(folder: Path, batches: int) -> None:
    """Record a run of so many batches, a fifth of them validation."""
    recorder = Recorder(folder, clock=SimulatedClock())
    recorder.write_header({"run": {"id": "scale"}, "clock": "simulated"})
    listen(recorder.operations)
    recorder.resume()
    spans = [recorder.span(line.value) for line in STEP_LINES]
    forward = recorder.span(Line.FORWARD.value)
    validation_batches = int(batches / EPOCHS * VALIDATION_SHARE)
    recorder.open_stage(Stage.TRAIN, 0)
    for epoch in range(EPOCHS):
        recorder.end_epoch()
        recorder.begin_epoch(epoch)
        _record_pass(recorder, batches // EPOCHS - validation_batches, spans, forward)
        recorder.open_stage(Stage.VALIDATION, epoch)
        _record_pass(recorder, validation_batches, spans, forward)
        recorder.close_stage(Stage.VALIDATION)
    recorder.close_stage(Stage.TRAIN)
    listen(None)
    recorder.close()


def _record_pass(recorder: Recorder, batches: int, spans: Sequence[Span], forward: Span) -> None:
    operations = [section(name) for name in OPERATIONS]
    for batch_idx in range(batches):
        recorder.begin_fetch()
        recorder.end_fetch()
        recorder.begin_batch(batch_idx, 0, BATCH_SIZE)
        for span in spans:
            with span:
                pass
        with forward:
            for operation in operations:
                with operation:
                    pass
        recorder.finish_batch()
        if recorder.flush_request.is_made():
            recorder.flush()
    recorder.end_batches()


class Reading(NamedTuple):
    """What a process that made the report took."""

    load_s: float
    report_s: float
    processor_s: float
    peak_mb: float
    imports_mb: float

    @property
    def total_s(self) -> float:
        """From the records to the files of the report."""
        return self.load_s + self.report_s


def read_here(folder: Path, output: Path) -> Reading:
    """Make the report in this process."""
    _import_everything(output)
    imports_mb = _peak_mb()
    processor_s = time.process_time()
    begin_s = time.perf_counter()
    run = recorder_source.load(folder)
    loaded_s = time.perf_counter()
    write_report(run, output)
    done_s = time.perf_counter()
    return Reading(
        load_s=loaded_s - begin_s,
        report_s=done_s - loaded_s,
        processor_s=time.process_time() - processor_s,
        peak_mb=_peak_mb(),
        imports_mb=imports_mb,
    )


def _import_everything(output: Path) -> None:
    """Load the modules that are imported when a report is written, by writing an empty one."""
    folder = output / "empty"
    write_records(folder, 5 * EPOCHS)
    write_report(recorder_source.load(folder), folder)


def _peak_mb() -> float:
    return own_peak_bytes() / MEGABYTE


def read_apart(folder: Path) -> Reading:
    """Make the report in a fresh process."""
    with tempfile.TemporaryDirectory() as output:
        command = [sys.executable, __file__, "--read", str(folder), "--folder", output]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Reading(**json.loads(done.stdout))


def measure(batches: int, repeats: int, folder: Path) -> tuple[tuple[str, ...], Reading]:
    """Return a row of the table, and the median reading."""
    begin_s = time.perf_counter()
    write_records(folder, batches)
    written_s = time.perf_counter() - begin_s
    size_bytes = sum(path.stat().st_size for path in folder.iterdir())
    readings = [read_apart(folder) for _ in range(repeats)]
    median = Reading(*(statistics.median(values) for values in zip(*readings, strict=True)))
    row = (
        f"{batches:,}",
        f"{written_s / batches * 1e6:.0f}",
        f"{size_bytes / MEGABYTE:.1f}",
        f"{size_bytes / batches:.0f}",
        f"{median.load_s:.2f}",
        f"{median.report_s:.2f}",
        f"{median.total_s:.2f}",
        f"{median.processor_s:.2f}",
        f"{median.peak_mb:.0f}",
        f"{median.peak_mb - median.imports_mb:.0f}",
    )
    return row, median


def main() -> int:
    """Print the table and whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batches", type=int, nargs="+", default=[10_000, 100_000, MOST_BATCHES])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the records here")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read is not None:
        print(json.dumps(read_here(arguments.read, arguments.folder)._asdict()))
        return 0
    rows, readings = [], []
    with tempfile.TemporaryDirectory() as temporary:
        for batches in sorted(arguments.batches):
            folder = (arguments.folder or Path(temporary)) / str(batches)
            row, reading = measure(batches, arguments.repeats, folder)
            rows.append(row)
            readings.append((batches, reading))
            print(f"{batches:,} batches: done", file=sys.stderr, flush=True)
    print_table(
        (
            "batches",
            "written in µs a batch",
            "records MB",
            "bytes a batch",
            "read s",
            "report s",
            "both s",
            "processor s",
            "peak RSS MB",
            "above imports MB",
        ),
        rows,
    )
    batches, largest = readings[-1]
    goals = [
        Goal(f"peak RSS at {batches:,} batches, MB", largest.peak_mb, MEMORY_GOAL_MB),
        *(
            Goal(f"read and report at {number:,} batches, s", one.total_s, TIMES_GOAL_S[number])
            for number, one in readings
            if number in TIMES_GOAL_S
        ),
    ]
    if len(readings) > 1:
        fewer, smaller = readings[-2]
        times_longer = largest.total_s / smaller.total_s
        name = f"time from {fewer:,} to {batches:,} batches over the growth in batches"
        goals.append(Goal(name, times_longer / (batches / fewer), LINEAR_GOAL))
    return Goal.report(*goals)


if __name__ == "__main__":
    sys.exit(main())
