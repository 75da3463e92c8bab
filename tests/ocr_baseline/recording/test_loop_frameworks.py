"""Loops with loader workers, under Lightning Fabric, and over several processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from lightning.fabric import Fabric
from torch._dynamo.testing import CompileCounter
from torch.overrides import TorchFunctionMode
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset

import ocr_baseline as ob
from ocr_baseline.model.document import Baseline

pytestmark = pytest.mark.slow

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
RANKS_LOOP = """
import sys, torch, ocr_baseline as ob
from torch.utils.data import DataLoader, TensorDataset
torch.distributed.init_process_group("gloo")
loader = DataLoader(TensorDataset(torch.ones(8, 4)), batch_size=2)
with ob.record(sys.argv[1]) as record, record.stage("train"):
    for batch in record.batches(loader):
        torch.distributed.all_reduce(torch.ones(1))
torch.distributed.destroy_process_group()
"""
COMPILED_RANKS_LOOP = """
import sys, torch, ocr_baseline as ob
from torch import distributed
from torch._dynamo.testing import CompileCounter
def shared(rows):
    distributed.all_reduce(rows)
    return rows * 2
def sent(rows):
    distributed.broadcast(rows, 0)
    return rows * 2
def graphs_of(function, fullgraph):
    counter = CompileCounter()
    compiled = torch.compile(function, backend=counter, fullgraph=fullgraph)
    return compiled(torch.ones(2)).tolist(), counter.frame_count, counter.op_count
def compiled():
    torch._dynamo.reset()
    return graphs_of(shared, True), graphs_of(sent, False)
distributed.init_process_group("gloo")
without = compiled()
with ob.record(sys.argv[1], summary=False) as record, record.stage("train"):
    for batch in record.batches([1]):
        measured = compiled()
if distributed.get_rank() == 0:
    print(without[0], measured == without)
distributed.destroy_process_group()
"""
WITHOUT_TORCH = """
import sys, ocr_baseline as ob
with ob.record(sys.argv[1]) as record, record.stage("train"):
    for batch in record.batches([1, 2]):
        pass
print(sorted({"torch", "lightning"} & set(sys.modules)))
"""

DRAWS = """
import random, sys, numpy, torch, ocr_baseline as ob
def states():
    numbers = numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    return random.getstate(), *numbers
before = states()
with ob.record(sys.argv[1]) as record, record.stage("train"):
    for batch in record.batches([1, 2]):
        pass
assert "rich" in sys.modules, "the answer was shown"
print(states() == before)
"""


class Numbered(Dataset[torch.Tensor]):
    """Items that a file holds, which is opened where it is first used."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(range(64)))
        self.path = path
        self.descriptor: int | None = None

    def _opened(self) -> int:
        if self.descriptor is None:
            self.descriptor = os.open(self.path, os.O_RDONLY)
        return self.descriptor

    def __len__(self) -> int:
        return os.lseek(self._opened(), 0, os.SEEK_END)

    def __getitem__(self, index: int) -> torch.Tensor:
        os.lseek(self._opened(), index, os.SEEK_SET)
        time.sleep(0.002)
        return torch.tensor([index, *os.read(self._opened(), 1)])


def loader(workers: int = 0) -> DataLoader[Any]:
    data = TensorDataset(torch.randn(16, 4), torch.randn(16, 1))
    return DataLoader(data, batch_size=4, num_workers=workers)


def report_in(folder: Path) -> Baseline:
    return Baseline.model_validate_json((folder / "baseline.json").read_text())


def lines(baseline: Baseline, name: str) -> set[str]:
    phase = baseline.phase(name)
    assert phase is not None
    assert phase.total_s is not None
    assert sum(line.total_s for line in phase.breakdown) == pytest.approx(phase.total_s, rel=1e-5)
    return {line.name for line in phase.breakdown if line.total_s}


def run(folder: Path, program: str, *launcher: str) -> str:
    script = folder / "loop.py"
    script.write_text(program)
    done = subprocess.run(
        [sys.executable, *launcher, str(script), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(Path(ob.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_workers_of_a_plain_loop_are_measured(tmp_path: Path) -> None:
    model, loss_of = torch.nn.Linear(4, 1), torch.nn.functional.mse_loss
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with ob.record(tmp_path) as record:
        for epoch in range(2):
            with record.stage("train", epoch=epoch):
                for inputs, targets in record.batches(loader(2)):
                    with record.line("forward"):
                        loss = loss_of(model(inputs), targets)
                    with record.line("backward"):
                        torch.autograd.backward(loss)
                    with record.line("optimizer"):
                        optimizer.step()
                        optimizer.zero_grad()

    baseline = report_in(tmp_path)
    (workers,) = baseline.workers
    assert (workers.phase, workers.count, workers.processes) == ("train", 2, 4)
    train = baseline.phase("train")
    assert train is not None
    assert (train.epochs, train.batches, train.samples) == (2, 8, 32)
    assert {"forward", "backward", "optimizer", "loader_startup"} <= lines(baseline, "train")
    assert baseline.environment.identity["num_workers"] == 2


def test_fabrics_own_calls_name_the_lines(tmp_path: Path) -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    model = torch.nn.Linear(4, 1)
    module, optimizer = fabric.setup(model, torch.optim.SGD(model.parameters(), lr=0.1))
    batches = fabric.setup_dataloaders(loader())
    with ob.record(tmp_path) as record:
        for _ in range(2):
            with record.stage("train"):
                for inputs, targets in record.batches(batches):
                    loss = torch.nn.functional.mse_loss(module(inputs), targets)
                    fabric.backward(loss)
                    optimizer.step()
                    optimizer.zero_grad()
            with record.stage("val"), torch.no_grad():
                for inputs, _ in record.batches(batches):
                    module(inputs)
            fabric.save(tmp_path / "model.ckpt", {"model": module})

    baseline = report_in(tmp_path)
    named = {"transfer", "forward", "backward", "optimizer"}
    assert named <= lines(baseline, "train")
    assert not any("breakdown" in entry.metric for entry in baseline.missing)
    assert "forward" in lines(baseline, "validation")
    train = baseline.phase("train")
    assert train is not None
    assert (train.epochs, train.batches, train.samples) == (2, 8, 32)
    assert "lightning" in baseline.environment.identity


def test_recorded_weights_are_those_of_a_loop_without_a_record(tmp_path: Path) -> None:
    def trained(*, enabled: bool) -> torch.Tensor:
        torch.manual_seed(1)
        fabric = Fabric(accelerator="cpu", devices=1)
        model = torch.nn.Linear(4, 1)
        module, optimizer = fabric.setup(model, torch.optim.SGD(model.parameters(), lr=0.1))
        items: Any = torch.randn(16, 4)
        data = fabric.setup_dataloaders(DataLoader(items, batch_size=4, shuffle=True))
        with ob.record(tmp_path, enabled=enabled) as record, record.stage("train"):
            for batch in record.batches(data):
                fabric.backward(module(batch).square().mean())
                optimizer.step()
                optimizer.zero_grad()
        return torch.cat([*(p.flatten() for p in model.parameters()), torch.rand(3)]).detach()

    assert torch.equal(trained(enabled=True), trained(enabled=False))


def test_the_ranks_of_torchrun_make_one_report(tmp_path: Path) -> None:
    run(tmp_path, RANKS_LOOP, *TORCHRUN)

    baseline = report_in(tmp_path)
    assert baseline.world_size == 2
    assert [rank.rank for rank in baseline.ranks] == [0, 1]
    assert "collectives" in lines(baseline, "train")


def test_compiled_code_that_calls_collectives_compiles_as_without(tmp_path: Path) -> None:
    printed = run(tmp_path, COMPILED_RANKS_LOOP, *TORCHRUN)

    assert printed.splitlines()[-1].startswith("([4.0, 4.0], 1, ")
    assert printed.splitlines()[-1].endswith(" True")
    assert "collectives" in lines(report_in(tmp_path), "train")  # the broadcast, which is in none


def test_a_loop_without_torch_loads_neither_torch_nor_lightning(tmp_path: Path) -> None:
    assert run(tmp_path, WITHOUT_TORCH).splitlines()[-1] == "[]"

    phase = report_in(tmp_path).phase("train")
    assert phase is not None
    assert phase.batches == 2


def test_a_record_draws_no_random_number_of_the_loops(tmp_path: Path) -> None:
    assert run(tmp_path, DRAWS).splitlines()[-1] == "True"


def test_steps_in_compiled_code_break_no_graph_and_are_told_of(tmp_path: Path) -> None:
    with ob.record(tmp_path) as record, record.stage("train"):

        def several(rows: list[torch.Tensor]) -> torch.Tensor:
            total = torch.zeros(2)
            with record.stage("val", epoch=1):
                for row in record.batches(rows):
                    with record.line("forward"):
                        total = total + row
                    record.samples(2)
            return total

        compiled = torch.compile(several, backend="eager", fullgraph=True)
        for rows in record.batches([[torch.ones(2), torch.ones(2)]] * 2):
            assert torch.equal(compiled(rows), torch.full((2,), 2.0))

    baseline = report_in(tmp_path)
    said = " ".join(baseline.measurement.warnings)
    for name in ("record.stage", "record.batches", "record.line", "record.samples"):
        assert name in said
    assert [phase.name for phase in baseline.phases if phase.batches] == ["train"]


class BreaksItsGraph(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, inputs: torch.Tensor, scale: float = 1.0) -> Any:
        outputs = self.layer(inputs)
        torch._dynamo.graph_break()
        return outputs * scale


def test_a_step_of_fabrics_compiles_to_the_same_graphs(tmp_path: Path) -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    whole, broken = fabric.setup(torch.nn.Linear(4, 1)), fabric.setup(BreaksItsGraph())

    def one_graph(inputs: torch.Tensor) -> Any:
        return whole(fabric.to_device(inputs)).sum()

    def several_graphs(inputs: torch.Tensor) -> Any:
        return broken(inputs, scale=2.0).sum()

    def graphs() -> list[tuple[int, int]]:
        torch._dynamo.reset()
        counters = []
        for function in (one_graph, several_graphs):
            counter = CompileCounter()
            compiled = torch.compile(function, backend=counter, fullgraph=function is one_graph)
            compiled(torch.ones(2, 4))
            counters.append((counter.frame_count, counter.op_count))
        return counters

    without = graphs()
    with ob.record(tmp_path) as record, record.stage("train"):
        for _ in record.batches([1]):
            measured = graphs()

    assert measured == without
    assert without[0][0] == 1
    assert without[1][0] > 1
    assert "forward" in lines(
        report_in(tmp_path), "train"
    )  # of the broken one, called between graphs


def test_a_mode_that_sees_torchs_calls_sees_none_of_ours(tmp_path: Path) -> None:
    class Seeing(TorchFunctionMode):
        seen: ClassVar[list[Any]] = []

        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            self.seen.append(func)
            return func(*args, **(kwargs or {}))

    batches = [torch.ones(2), torch.ones(2)]
    with Seeing(), ob.record(tmp_path) as record:
        for _ in range(2):
            with record.stage("train"):
                for batch in record.batches(batches):
                    torch.add(batch, 1)
    assert set(Seeing.seen) == {torch.add}


def test_a_dataset_is_asked_for_its_length_after_its_workers_have_begun(tmp_path: Path) -> None:
    # Asked before, it would open its file here, and its workers would share one position in it.
    data = Numbered(tmp_path / "items")
    batches = DataLoader(data, batch_size=4, num_workers=2, multiprocessing_context="fork")
    with ob.record(tmp_path) as record, record.stage("train"):
        made = torch.cat(list(record.batches(batches)))
    assert torch.equal(made[:, 0], made[:, 1])
    phase = report_in(tmp_path).phase("train")
    assert phase is not None
    assert (phase.batches, phase.samples) == (16, 64)


class DrawsOrLeaves(Sampler[int]):
    def __init__(self, leaves: bool) -> None:
        self.leaves = leaves

    def __len__(self) -> int:
        torch.rand(1)
        if self.leaves:
            sys.exit(3)
        return 8

    def __iter__(self) -> Iterator[int]:
        return iter(torch.randperm(8).tolist())


@pytest.mark.parametrize("leaves", [False, True])
def test_a_sampler_that_draws_or_exits_as_it_tells_its_length_changes_nothing(
    tmp_path: Path, leaves: bool
) -> None:
    def drawn(*, enabled: bool) -> list[float]:
        torch.manual_seed(1)
        batches = DataLoader(TensorDataset(torch.arange(8.0)), sampler=DrawsOrLeaves(leaves))
        with ob.record(tmp_path, enabled=enabled) as record, record.stage("train"):
            return [float(batch[0]) + float(torch.rand(1)) for batch in record.batches(batches)]

    assert drawn(enabled=True) == drawn(enabled=False)
    phase = report_in(tmp_path).phase("train")
    assert phase is not None
    assert (phase.batches, phase.samples) == (8, 8)
