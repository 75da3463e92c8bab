"""The floating-point operations of one batch, in real trainings on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.planted.simulated_device import SimulatedDevice, followed
from ocr_baseline import PerformanceProfilerCallback
from tests.ocr_baseline.lightning.tiny_runs import TinyModule, TinyRun, loader, tiny_run

pytestmark = pytest.mark.slow

BATCH_SIZE, INPUTS, OUTPUTS = 2, 4, 2
A_PRODUCT = 2 * BATCH_SIZE * INPUTS * OUTPUTS
"""The forward pass; the weights' gradient is another, and the inputs have none."""


def fit(trainer: Trainer, module: LightningModule) -> None:
    trainer.fit(module, loader(40))


def counted(folder: Path, module: LightningModule | None = None, **arguments: Any) -> TinyRun:
    profiling = PerformanceProfilerCallback(profile_memory=False, count_flops=True)
    run = tiny_run(folder, fit, module=module, profiling=profiling, **arguments)
    assert run.ended_by is None
    return run


def why_not(run: TinyRun, metric: str) -> str | None:
    [entry] = [one for one in run.baseline.missing if one.metric == metric]
    return entry.detail


def test_the_operations_of_a_batch_are_those_of_its_matrix_products(tmp_path: Path) -> None:
    phase = counted(tmp_path).phase("train")
    assert phase.flops is not None
    assert phase.flops.flops_per_batch == 2 * A_PRODUCT
    assert phase.flops.samples == BATCH_SIZE
    assert phase.batch_time_s is not None
    assert phase.batch_time_s.mean is not None
    assert phase.flops.flops_per_s == pytest.approx(2 * A_PRODUCT / phase.batch_time_s.mean)


def test_without_a_known_peak_there_is_no_share_of_it_and_a_reason(tmp_path: Path) -> None:
    run = counted(tmp_path)
    flops = run.phase("train").flops
    assert flops is not None
    assert flops.mfu is None
    assert why_not(run, "phases.train.flops.mfu") == (
        "Lightning's table of peaks has no processors"
    )


def test_the_share_of_the_devices_peak_is_told_where_it_is_known(tmp_path: Path) -> None:
    with followed(SimulatedDevice(peak_flops_per_s=1e9)):
        flops = counted(tmp_path).phase("train").flops
    assert flops is not None
    assert flops.flops_per_s is not None
    assert flops.mfu == pytest.approx(flops.flops_per_s / 1e9)


def test_the_counted_batch_is_one_of_the_warm_up(tmp_path: Path) -> None:
    warmup = counted(tmp_path).phase("train").warmup
    assert warmup is not None
    assert warmup.batches == 3


def test_a_training_whose_operations_are_counted_trains_the_same(tmp_path: Path) -> None:
    plain = tiny_run(tmp_path / "plain", fit)
    looked_into = counted(tmp_path / "counted")
    for one, other in zip(plain.module.parameters(), looked_into.module.parameters(), strict=True):
        assert torch.equal(one, other)


class Compiled(TinyModule):
    """Has a compiled layer; `eager` is a backend without a compiler."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.compile(self.layer, backend="eager")  # type: ignore[assignment]  # torch's own wrapper


def test_compiled_code_is_not_counted_and_runs_as_compiled(tmp_path: Path) -> None:
    run = counted(tmp_path, Compiled())
    assert run.phase("train").flops is None
    assert "compiled" in (why_not(run, "flops") or "")


class Passing(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's gap
    """A mode of the user's."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def test_a_dispatch_mode_of_the_users_is_left_alone(tmp_path: Path) -> None:
    with Passing():  # type: ignore[no-untyped-call]  # torch's gap
        run = counted(tmp_path)
    assert why_not(run, "flops") == "a dispatch mode of torch is in use"


def test_a_step_that_fails_while_it_is_counted_leaves_no_mode_behind(tmp_path: Path) -> None:
    class Failing(TinyModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 2:
                raise ValueError("the user's own")
            return super().training_step(batch, batch_idx)

    profiling = PerformanceProfilerCallback(profile_memory=False, count_flops=True)
    run = tiny_run(tmp_path, fit, module=Failing(), profiling=profiling)
    assert isinstance(run.ended_by, ValueError)
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None
