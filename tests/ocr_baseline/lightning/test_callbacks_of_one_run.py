"""Which callback objects belong to one run, and which runs leave an earlier one's report alone."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback
from ocr_baseline.model.document_file import read_baseline
from ocr_baseline.records import reader
from tests.ocr_baseline.lightning import spawned_stages
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, fit, loader, tiny_run, tiny_trainer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("strategy", ["ddp_spawn", "ddp_fork"])
@pytest.mark.parametrize("whose", ["trainer", "module"])
def test_stages_in_processes_of_their_own_are_one_run(
    strategy: str, whose: str, tmp_path: Path, repository: Path
) -> None:
    inherited = {key: value for key, value in os.environ.items() if "RANK" not in key}
    done = subprocess.run(
        [sys.executable, spawned_stages.__file__, str(tmp_path), strategy, whose],
        env=inherited | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert done.returncode == 0, done.stderr
    baseline = read_baseline(tmp_path / "baseline" / "baseline.json")
    assert baseline.run.status == "finished"
    assert {phase.name: phase.batches for phase in baseline.phases} == {"train": 12, "test": 12}
    run = reader.load(tmp_path / "baseline")
    assert [rank.rank for rank in run.ranks] == [0, 1]
    calls = {operation.stage.value: operation.calls for operation in run.operations}
    tables = [stage.batches for stage in run.stages if stage.batches is not None]
    assert calls == {"train": 12, "test": 12}
    starts = [start for table in tables for start in table.start_s.tolist()]
    assert starts == sorted(starts), "one clock for all stages"
    assert not (tmp_path / "baseline" / "earlier").exists(), "nothing was taken for another run's"


class Configures(TinyModule):
    """Gives the trainer new callbacks for each stage."""

    def configure_callbacks(self) -> list[Callback]:
        return [PerformanceProfilerCallback(profile_memory=False), BaselineReportCallback()]


def test_callbacks_that_the_module_makes_anew_for_each_stage_are_of_one_run(
    tmp_path: Path,
) -> None:
    trainer = tiny_trainer(tmp_path)
    module = Configures()

    trainer.fit(module, loader(), loader(6))
    trainer.test(module, loader(4), verbose=False)

    baseline = read_baseline(tmp_path / "baseline" / "baseline.json")
    assert {phase.name: phase.batches for phase in baseline.phases} == {
        "train": 4,
        "validation": 3,
        "test": 2,
    }

    again = tiny_trainer(tmp_path)
    again.fit(module, loader(), loader(6))
    assert read_baseline(tmp_path / "baseline" / "baseline.json").phases[0].batches == 4


def test_copies_of_the_callbacks_are_of_another_run(tmp_path: Path) -> None:
    first = tiny_run(tmp_path, max_epochs=2)
    copied = [copy.deepcopy(first.profiler), copy.copy(first.profiler)]

    for profiler in copied:
        assert tiny_run(tmp_path, profiling=profiler).phase("train").batches == 4


# -- a run that fails at its start -------------------------------------------------------------


class BoomError(RuntimeError):
    """The user's own trouble."""


class Raises(Callback):
    def __init__(self, hook: str, error: BaseException) -> None:
        def raising(*args: Any, **kwargs: Any) -> None:
            raise error

        setattr(self, hook, raising)


@pytest.mark.parametrize(
    ("hook", "error"),
    [
        ("setup", BoomError("x")),
        ("on_fit_start", KeyboardInterrupt()),
        ("on_train_start", SystemExit(3)),
        ("on_train_batch_start", BoomError("x")),
        ("on_before_backward", GeneratorExit()),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_run_that_fails_before_it_has_finished_a_batch_leaves_records_and_report_alone(
    hook: str, error: BaseException, is_first: bool, tmp_path: Path
) -> None:
    tiny_run(tmp_path)
    folder = tmp_path / "baseline"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    raises: list[Callback] = [Raises(hook, error)]
    if is_first:
        run = tiny_run(tmp_path, callbacks=raises)
    else:
        run = tiny_run(tmp_path)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        ours: list[Callback] = [PerformanceProfilerCallback(), BaselineReportCallback(), *raises]
        trainer = tiny_trainer(tmp_path, callbacks=ours)
        with suppress(BaseException):  # each of the cases; Lightning 2.1 ends Ctrl-C by itself
            fit(trainer, TinyModule())

    assert run is not None
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_callbacks_of_a_run_that_failed_at_its_start_record_the_next_one(
    tmp_path: Path,
) -> None:
    tiny_run(tmp_path, max_epochs=2)
    failed = tiny_run(tmp_path, callbacks=[Raises("on_train_start", BoomError("x"))])
    assert failed.phase("train").batches == 8

    run = tiny_run(tmp_path, profiling=failed.profiler, report=failed.report)

    assert run.phase("train").batches == 4
    assert not (tmp_path / "baseline" / "records" / "earlier").exists()
    (kept,) = (tmp_path / "baseline" / "earlier").iterdir()
    assert read_baseline(kept / "baseline.json").phase("train").batches == 8  # type: ignore[union-attr]
    assert len(reader.load(kept).stages) == 2


def test_a_start_that_is_killed_loses_nothing_of_the_run_before(
    tmp_path: Path, repository: Path
) -> None:
    tiny_run(tmp_path)
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.ocr_baseline.lightning.tiny_runs import *\n"
        "class Dies(Callback):\n"
        "    def on_train_start(self, *args):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "tiny_run(Path(sys.argv[1]), callbacks=[Dies()])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(repository)}
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environment, check=False, timeout=120
    )

    run = tiny_run(tmp_path, callbacks=[Raises("on_train_start", BoomError("x"))])

    assert run.phase("train").batches == 4
    assert len(reader.load(tmp_path / "baseline").stages) == 2
