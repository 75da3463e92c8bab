"""What the engine does not import: a command that prints a report must start at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ocr_baseline.recorded_runs import record

HEAVY = ("torch", "lightning", "wandb", "pandas", "numpy", "scipy", "pydantic", "jinja2", "hydra")


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after a statement."""
    program = (
        f"{statement}\nimport json, sys\n"
        "sys.stderr.write(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_importing_the_engine_loads_nothing_heavy_and_no_other_part_of_the_project() -> None:
    loaded = loaded_by("import ocr_baseline; from ocr_baseline import section")

    assert loaded.isdisjoint({*HEAVY, "psutil", "rich", "click"})


def test_a_name_that_can_not_be_imported_is_an_import_error_whatever_stood_in_the_way() -> None:
    """freezegun asks every module for every name it has, with its own `datetime` in place."""
    program = (
        "import sys, ocr_baseline\n"
        "class StandsInTheWay:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'ocr_baseline.model.document':\n"
        "            raise RuntimeError('time is frozen')\n"
        "sys.meta_path.insert(0, StandsInTheWay())\n"
        "for name in dir(ocr_baseline):\n"
        "    try:\n"
        "        getattr(ocr_baseline, name)\n"
        "    except ImportError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "Baseline can't be imported now (RuntimeError: time is frozen)" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"]], ids=" ".join)
def test_the_commands_help_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = loaded_by(
        "from ocr_baseline.cli.application import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit:\n    pass"
    )

    assert loaded.isdisjoint(HEAVY)


@pytest.mark.slow
def test_what_a_training_imports_as_it_starts_needs_no_validation_library() -> None:
    loaded = loaded_by(
        "import ocr_baseline.measure.recorder, ocr_baseline.records.writer\n"
        "import ocr_baseline.model.run, ocr_baseline.model.privacy"
    )

    assert loaded.isdisjoint({"pydantic", "scipy", "jinja2", "pandas", "torch"})


@pytest.mark.slow
def test_the_callbacks_load_nothing_that_only_a_report_needs() -> None:
    framework = "import lightning.pytorch, torchmetrics"
    callbacks = "from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback"

    added = loaded_by(f"{framework}\n{callbacks}") - loaded_by(framework)

    assert added.isdisjoint({"pydantic", "scipy", "jinja2", "pandas"})


@pytest.mark.slow
def test_recording_and_reading_records_load_no_framework() -> None:
    loaded = loaded_by(
        "import ocr_baseline.measure.recorder, ocr_baseline.measure.workers\n"
        "import ocr_baseline.records.reader, ocr_baseline.analysis.analyze"
    )

    assert loaded.isdisjoint({"torch", "lightning", "wandb", "pandas", "hydra"})


USED_ON_DEMAND = {"wandb", "pandas", "mlflow", "tensorboard"}
"""What only a source or a table of that kind needs."""


@pytest.mark.slow
def test_a_report_of_records_or_a_document_loads_no_client_and_no_table_library(
    tmp_path: Path,
) -> None:
    record(tmp_path / "run", "a", 3)
    target = tmp_path / "baseline.json"
    for arguments in (
        ["report", str(tmp_path / "run"), "--export-json", str(target)],
        ["show", str(target)],
        ["show", str(tmp_path / "run")],
        ["compare", str(target), str(target)],
    ):
        loaded = loaded_by(f"from ocr_baseline.cli.application import main\nmain({arguments})")

        assert loaded.isdisjoint({*USED_ON_DEMAND, "torch", "lightning", "hydra"}), arguments


@pytest.mark.slow
def test_the_callbacks_and_the_recorder_load_no_client_of_their_own() -> None:
    lightning = loaded_by("import lightning.pytorch, lightning.pytorch.loggers, torch")

    loaded = loaded_by(
        "from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback\n"
        "PerformanceProfilerCallback(); BaselineReportCallback()\n"
        "import ocr_baseline.measure.recorder, ocr_baseline.write"
    )

    assert (loaded - lightning).isdisjoint(USED_ON_DEMAND)
