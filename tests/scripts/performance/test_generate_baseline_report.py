"""The seed's command: its arguments, its functions and how light it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.performance.generate_baseline_report import (
    analyze_bottlenecks,
    generate_markdown_report,
    main,
)

SCRIPT = Path(__file__).parents[3] / "scripts" / "performance" / "generate_baseline_report.py"


def _metrics(*rows: dict[str, Any], **summary: Any) -> dict[str, Any]:
    return {
        "run_id": "abc123",
        "run_name": "baseline_profiling",
        "created_at": "2026-03-01T09:00:00Z",
        "state": "finished",
        "config": {},
        "summary": {f"performance/{name}": value for name, value in summary.items()},
        "history": list(rows),
    }


def test_help_names_every_argument_and_loads_nothing_heavy() -> None:
    program = (
        "import sys, runpy\n"
        f"sys.argv = [{str(SCRIPT)!r}, '--help']\n"
        "try:\n"
        "    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    heavy = ('torch', 'lightning', 'wandb', 'pandas', 'scipy', 'jinja2', 'pydantic')\n"
        "    print(end.code, [name for name in heavy if name in sys.modules])\n"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    for argument in ("run-id", "project", "entity", "output", "export-json", "export-csv"):
        assert f"--{argument}" in printed
    assert printed.endswith("0 []\n")


def test_a_usage_error_exits_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["generate_baseline_report.py", "--run-id", "x"])

    with pytest.raises(SystemExit) as end:
        main()

    assert end.value.code == 2
    assert "--output" in capsys.readouterr().err


def test_the_seeds_summary_alone_is_analyzed_in_the_seeds_units() -> None:
    metrics = _metrics(
        val_epoch_time=120.5,
        val_batch_mean=0.85,
        val_batch_p95=1.2,
        val_num_batches=140,
        gpu_memory_gb=5.6,
    )

    analysis = analyze_bottlenecks(metrics)

    times = analysis["validation_time"]
    assert (times["total_seconds"], times["num_batches"]) == (120.5, 140)
    assert (times["batch_mean_ms"], times["batch_p95_ms"]) == (850.0, 1200.0)
    assert analysis["memory_usage"]["gpu_memory_gb"] == pytest.approx(5.6)
    assert json.loads(json.dumps(analysis)) == analysis


def test_what_was_not_logged_is_none_and_never_zero() -> None:
    analysis = analyze_bottlenecks(_metrics())

    values = [*analysis["validation_time"].values(), *analysis["memory_usage"].values()]
    assert set(values) == {None}
    assert analysis["bottlenecks"] == []


def test_a_test_run_is_not_analyzed_as_validation() -> None:
    metrics = _metrics({"performance/test_epoch_time": 16.29, "performance/test_batch_p95": 0.617})

    analysis = analyze_bottlenecks(metrics)

    assert set(analysis["validation_time"].values()) == {None}
    assert [phase["name"] for phase in analysis["baseline"]["phases"]] == ["test"]


def test_the_report_is_written_into_folders_that_it_makes(tmp_path: Path) -> None:
    metrics = _metrics({"performance/val_epoch_time": 120.5, "performance/val_batch_mean": 0.85})
    output = tmp_path / "docs" / "baseline.md"

    generate_markdown_report(metrics, analyze_bottlenecks(metrics), output)

    text = output.read_text(encoding="utf-8")
    assert text.startswith("# Performance Baseline Report")
    assert "850 ms" in text


def test_a_report_can_be_made_of_metrics_that_were_not_analyzed(tmp_path: Path) -> None:
    output = tmp_path / "baseline.md"

    generate_markdown_report(_metrics(val_epoch_time=120.5), {}, output)

    assert "2 min" in output.read_text(encoding="utf-8")
