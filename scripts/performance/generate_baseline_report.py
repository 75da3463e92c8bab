#!/usr/bin/env python3
"""Generate a performance baseline report from a W&B run.

A door to the engine in `ocr_baseline`: it reads the run, analyzes it and writes the report.

Usage:
    python scripts/performance/generate_baseline_report.py \
        --run-id <wandb_run_id> \
        --project OCR_Performance_Baseline \
        --output docs/performance/baseline.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline
    from ocr_baseline.sources.wandb.fetch import FetchedRun

DEFAULT_PROJECT = "OCR_Performance_Baseline"
EXIT_UNREADABLE = 2


def fetch_wandb_metrics(run_id: str, project: str, entity: str | None = None) -> dict[str, Any]:
    """Return what the W&B server holds of a run, as values that JSON can hold.

    Args:
        run_id: The run's id, `entity/project/id` or URL.
        project: The project, where `run_id` names none.
        entity: The entity; None is the account's default.

    Returns:
        `run_id`, `run_name`, `created_at`, `state`, `config` (secrets redacted), `summary`, and
        `history`: every row with a performance metric, not a sample. Beside these `project`,
        `entity`, `url` and `system_history`.

    Raises:
        ocr_baseline.errors.SourceError: The run can't be read; the message says why.
    """
    from ocr_baseline.model.privacy import redact
    from ocr_baseline.sources.source import ReadOptions
    from ocr_baseline.sources.wandb.api import fetch_run

    run = fetch_run(run_id, ReadOptions(project=project, entity=entity))
    return {
        "run_id": run.id,
        "run_name": run.name,
        "created_at": run.created_at,
        "state": run.state,
        "config": redact(run.config),
        "summary": dict(run.summary),
        "history": [dict(row) for row in run.rows],
        "project": run.project,
        "entity": run.entity,
        "url": run.url,
        "system_history": [dict(row) for row in run.system_rows],
    }


def analyze_bottlenecks(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the baseline of a run's metrics.

    Args:
        metrics: What `fetch_wandb_metrics` returned; only `run_id` and `state` must be there.

    Returns:
        `baseline`: the whole document, as in `baseline.json`. Beside it, taken from it,
        `validation_time` (seconds, milliseconds for batches), `memory_usage` (2**30 bytes,
        percent) and `bottlenecks`. What was not measured is None, never 0.
    """
    from ocr_baseline.analysis.analyze import analyze
    from ocr_baseline.sources.logged.keys import Keys
    from ocr_baseline.sources.wandb.api import to_run

    baseline = analyze(to_run(_fetched_run(metrics), Keys()))
    return {
        "validation_time": _validation_time(baseline),
        "memory_usage": _memory_usage(baseline),
        "bottlenecks": [
            {
                "type": finding.title,
                "description": finding.advice,
                "severity": finding.severity.upper(),
            }
            for finding in baseline.findings
        ],
        "baseline": baseline.model_dump(mode="json", by_alias=True),
    }


def generate_markdown_report(
    metrics: dict[str, Any],
    analysis: dict[str, Any],
    output_path: Path,
) -> None:
    """Write the Markdown report.

    Args:
        metrics: What `fetch_wandb_metrics` returned, analyzed here if `analysis` has no baseline.
        analysis: What `analyze_bottlenecks` returned.
        output_path: The file to write; folders are made.

    Raises:
        ocr_baseline.errors.BaselineError: The file can't be written.
    """
    from ocr_baseline.files import write_text_atomically
    from ocr_baseline.reports.run.markdown import render_markdown

    known = analysis if "baseline" in analysis else analyze_bottlenecks(metrics)
    write_text_atomically(output_path, render_markdown(_baseline(known)))


def main() -> None:
    """Run the command; exit with 2 and one line on stderr when the run can't be read."""
    from ocr_baseline.errors import BaselineError

    arguments = _parser().parse_args()
    try:
        written = _write_reports(arguments)
    except BaselineError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(EXIT_UNREADABLE) from None
    for path in written:
        print(path)


def _write_reports(arguments: argparse.Namespace) -> list[Path]:
    from ocr_baseline.files import write_text_atomically
    from ocr_baseline.reports.run.csv import render_metrics_csv
    from ocr_baseline.reports.run.json import render_json

    metrics = fetch_wandb_metrics(arguments.run_id, arguments.project, arguments.entity)
    analysis = analyze_bottlenecks(metrics)
    baseline = _baseline(analysis)
    generate_markdown_report(metrics, analysis, arguments.output)
    written = [arguments.output]
    for path, render in (
        (arguments.export_json, render_json),
        (arguments.export_csv, render_metrics_csv),
    ):
        if path is not None:
            write_text_atomically(path, render(baseline))
            written.append(path)
    return written


def _baseline(analysis: dict[str, Any]) -> Baseline:
    from ocr_baseline.model.document import Baseline

    return Baseline.model_validate(analysis["baseline"])


def _fetched_run(metrics: dict[str, Any]) -> FetchedRun:
    from ocr_baseline.sources.wandb.fetch import FetchedRun

    return FetchedRun(
        id=metrics["run_id"],
        name=metrics.get("run_name"),
        created_at=metrics.get("created_at"),
        state=metrics["state"],
        config=metrics.get("config") or {},
        summary=metrics.get("summary") or {},
        rows=metrics.get("history") or [],
        project=metrics.get("project"),
        entity=metrics.get("entity"),
        url=metrics.get("url"),
        system_rows=metrics.get("system_history") or [],
    )


def _validation_time(baseline: Baseline) -> dict[str, float | None]:
    phase = baseline.phase("validation")
    times_s = phase.batch_time_s if phase else None
    return {
        "total_seconds": phase.total_s if phase else None,
        "batch_mean_ms": _scaled(times_s.mean if times_s else None, 1000),
        "batch_median_ms": _scaled(times_s.median if times_s else None, 1000),
        "batch_p95_ms": _scaled(times_s.p95 if times_s else None, 1000),
        "batch_p99_ms": _scaled(times_s.p99 if times_s else None, 1000),
        "num_batches": phase.batches if phase else None,
    }


def _memory_usage(baseline: Baseline) -> dict[str, float | None]:
    memory = baseline.memory
    accelerator = memory.accelerator if memory else None
    allocated_bytes = accelerator.allocated_peak_bytes if accelerator else None
    return {
        "gpu_memory_gb": _scaled(allocated_bytes, 2**-30),
        "cpu_memory_percent": memory.system_memory_percent if memory else None,
    }


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Generate a performance baseline report from a W&B run."
    )
    parser.add_argument(
        "--run-id", required=True, help="W&B run id, ENTITY/PROJECT/ID or the run's URL"
    )
    parser.add_argument(
        "--project", default=DEFAULT_PROJECT, help="W&B project (default: %(default)s)"
    )
    parser.add_argument("--entity", help="W&B entity (default: the account's)")
    parser.add_argument("--output", type=Path, required=True, help="Markdown report to write")
    parser.add_argument("--export-json", type=Path, help="write the baseline as JSON, too")
    parser.add_argument("--export-csv", type=Path, help="write the metrics as CSV, too")
    return parser


if __name__ == "__main__":
    main()
