"""Repeated runs of one configuration, or of two that take turns, each in its own process.

The sweeper of `experiment=baseline_repeats` passes on the overrides. The runs land side by side in
the sweep's folder: `warmup-0`, `a-0`, `b-0`, `b-1`, `a-1`, … Two configurations run in the order
A B B A, so a machine that warms up or slows down affects both alike.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ocr_baseline.errors import BaselineError
from ocr_baseline.files import write_text_atomically
from ocr_baseline.layout import BASELINE_FOLDER, JSON_NAME
from ocr_baseline.measure.canary import BUSY_EXCESS, canary_s
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.model.json_text import json_text

if TYPE_CHECKING:
    from ocr_baseline.comparison.comparison import Comparison
    from ocr_baseline.comparison.summary import RunSummary

RECORD_NAME = "repeats.json"
OUTPUT_NAME = "output.log"
LINES_SHOWN = 15


class RepeatsError(BaselineError):
    """A repeated run failed; the message names its folder and ends with its last output."""


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One run: the name of its folder and the overrides that only its side has."""

    name: str
    side: str
    overrides: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A run that succeeded, its process's duration, and the canary's just before it."""

    name: str
    side: str
    duration_s: float
    canary_s: float


def plan(runs: int, variant: Sequence[str] | None, warmup_runs: int) -> list[PlannedRun]:
    """Return the runs in order: the warm-ups, then A alone, or A B B A and so on.

    Raises:
        RepeatsError: When there is nothing to run.
    """
    if runs < 1 or warmup_runs < 0:
        raise RepeatsError(
            f"nothing to repeat: repeats.runs={runs}, repeats.warmup_runs={warmup_runs}"
        )
    warmup = [
        PlannedRun(name=f"warmup-{number}", side="warmup", overrides=())
        for number in range(warmup_runs)
    ]
    return [*warmup, *_turns(runs, variant)]


def _turns(runs: int, variant: Sequence[str] | None) -> Iterator[PlannedRun]:
    sides = {"a": ()} if not variant else {"a": (), "b": tuple(variant)}
    for number in range(runs):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for side in order:
            yield PlannedRun(name=f"{side}-{number}", side=side, overrides=sides[side])


def run_all(
    planned: Sequence[PlannedRun], command: Sequence[str], overrides: Sequence[str], folder: Path
) -> list[FinishedRun]:
    """Run everything in order, with progress on stderr; stop at the first failure.

    Args:
        planned: The runs.
        command: What starts the application, without overrides.
        overrides: Overrides for all runs.
        folder: Where each run gets its folder and `repeats.json` is written.

    Raises:
        RepeatsError: When a run fails or leaves no baseline.
    """
    finished: list[FinishedRun] = []
    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("runs", total=len(planned))
        for number, run in enumerate(planned, 1):
            progress.update(task, description=f"run {run.name}")
            finished.append(_run_one(run, command, overrides, folder))
            progress.advance(task)
            done = finished[-1]
            console.print(
                f"{number} of {len(planned)}: {run.name} took {done.duration_s:.1f} s "
                f"(canary {1000 * done.canary_s:.0f} ms)"
            )
            _write_record(folder, finished)
    return finished


def _run_one(
    run: PlannedRun, command: Sequence[str], overrides: Sequence[str], folder: Path
) -> FinishedRun:
    run_folder = folder / run.name
    run_folder.mkdir(parents=True, exist_ok=True)
    canary = canary_s()
    arguments = [
        *command,
        *overrides,
        *run.overrides,
        "hydra.mode=RUN",
        f"hydra.run.dir={_quoted(run_folder)}",
    ]
    started = time.perf_counter()
    with (run_folder / OUTPUT_NAME).open("wb") as output:
        done = subprocess.run(  # noqa: S603 - the application itself with the user's overrides
            arguments, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    duration_s = time.perf_counter() - started
    if done.returncode != 0:
        raise RepeatsError(_failure(run_folder, f"exited with status {done.returncode}"))
    if not baseline_path(run_folder).is_file():
        raise RepeatsError(_failure(run_folder, "left no baseline; use callbacks=baseline_report"))
    return FinishedRun(name=run.name, side=run.side, duration_s=duration_s, canary_s=canary)


def baseline_path(run_folder: Path) -> Path:
    """Return where a run of the application writes its baseline."""
    return run_folder / BASELINE_FOLDER / JSON_NAME


def busy_warning(finished: Sequence[FinishedRun]) -> str | None:
    """Return a sentence if other work slowed the machine down during some of the runs."""
    canaries = [run.canary_s for run in finished]
    excess = max(canaries) / min(canaries) - 1
    if excess <= BUSY_EXCESS:
        return None
    slowest = max(finished, key=lambda run: run.canary_s)
    return (
        f"The machine was busy: the same fixed work took up to {100 * excess:.0f}% longer than at "
        f"best (before {slowest.name}). Stop other programs and repeat."
    )


def closing_report(folder: Path, finished: Sequence[FinishedRun], variant: Sequence[str]) -> str:
    """Return what is printed at the end: the comparison of both sides, and what to do next.

    Raises:
        BaselineError: When a baseline can't be read.
    """
    from ocr_baseline.reports.comparison.terminal import render_comparison_terminal

    lines = [f"Runs and their baselines: {folder}"]
    warning = busy_warning(finished)
    if warning is not None:
        lines.append(warning)
    if not variant:
        lines.append(f"To measure this machine's spread: ocr-baseline calibrate '{folder}/a-*'")
        return "\n".join(lines) + "\n"
    comparison = comparison_of(folder, finished, variant)
    across = " ".join(f"--across {field}" for field in on_purpose(variant))
    lines.append(f"Compare again: ocr-baseline compare '{folder}/a-*' -- '{folder}/b-*' {across}")
    width = shutil.get_terminal_size((100, 24)).columns
    text = render_comparison_terminal(comparison, width=width, color=False)
    return text + "\n" + "\n".join(lines) + "\n"


def on_purpose(variant: Sequence[str]) -> tuple[str, ...]:
    """Return the fields that the variant's overrides change."""
    return tuple(map(override_key, variant))


def comparison_of(
    folder: Path, finished: Sequence[FinishedRun], variant: Sequence[str]
) -> Comparison:
    """Return the comparison of A and B; the fields the variant overrides differ on purpose.

    Raises:
        BaselineError: When a baseline can't be read.
    """
    from ocr_baseline.comparison.comparison import compare
    from ocr_baseline.comparison.options import Options

    sides: Mapping[str, list[RunSummary]] = {
        side: [_summary(folder, run) for run in finished if run.side == side] for side in "ab"
    }
    return compare(sides["a"], sides["b"], Options(across=on_purpose(variant)))


def override_key(override: str) -> str:
    """Return the key an override sets, such as `data.num_workers` for `++data.num_workers=2`."""
    return override.lstrip("+~").partition("=")[0].partition("@")[0].replace("/", ".")


def application_command() -> list[str]:
    """Return the command that starts this program again, without its arguments."""
    import __main__

    spec = getattr(__main__, "__spec__", None)
    if spec is not None:
        return [sys.executable, "-m", spec.name.removesuffix(".__main__")]
    return [sys.executable, os.path.abspath(sys.argv[0])]  # noqa: PTH100 - keeps links


def _summary(folder: Path, run: FinishedRun) -> RunSummary:
    from ocr_baseline.comparison.summary import summarize

    return summarize(read_baseline(baseline_path(folder / run.name)), run.name)


def _failure(run_folder: Path, what: str) -> str:
    text = (run_folder / OUTPUT_NAME).read_text(encoding="utf-8", errors="replace")
    last = "\n".join(text.strip().splitlines()[-LINES_SHOWN:])
    return f"{run_folder} {what}. The last lines of its {OUTPUT_NAME}:\n{last}"


def _write_record(folder: Path, finished: Sequence[FinishedRun]) -> None:
    runs = [asdict(run) for run in finished]
    write_text_atomically(folder / RECORD_NAME, json_text({"runs": runs}))


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
