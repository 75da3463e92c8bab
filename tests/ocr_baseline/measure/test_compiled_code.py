"""Code that torch compiles, traces or scripts, and the states that torch keeps."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ocr_baseline.measure import traced_code
from ocr_baseline.measure.instrument import Instrumentation
from ocr_baseline.measure.operation_names import resolve
from ocr_baseline.measure.operations import Operations
from ocr_baseline.measure.sections import listen, section
from ocr_baseline.measure.timeline import Timeline
from ocr_baseline.measure.traced_code import silent_names
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.measure.noted_blocks import Blocks


@pytest.fixture(autouse=True)
def what_was_compiled_here_is_forgotten() -> Iterator[None]:
    """A report names what its process has compiled: those of later tests have nothing of this."""
    yield
    torch._dynamo.reset()
    traced_code._silent.clear()


def uses_operations(number: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.gelu(torch.nn.functional.relu(own_operation(number)))


def own_operation(number: torch.Tensor) -> torch.Tensor:
    return number * 2


TRACED = (f"{__name__}.own_operation", "torch.nn.functional.relu", "torch.nn.functional.gelu")


def traced_graphs() -> list[str]:
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        graphs.append(str(graph.graph))
        return graph.forward

    torch._dynamo.reset()
    torch.compile(uses_operations, backend=backend, fullgraph=True)(torch.ones(2))
    torch.compile(own_operation, backend=backend, fullgraph=True)(torch.ones(2))
    graphs.append(str(torch.jit.script(uses_operations).graph))
    graphs.append(str(torch.jit.trace(uses_operations, torch.ones(2)).graph))  # type: ignore[no-untyped-call]  # torch's own gap
    graphs.append(str(torch.fx.symbolic_trace(torch.nn.ReLU()).graph))
    exported = torch.export.export(torch.nn.GELU(), (torch.ones(2),), strict=True)
    graphs.append(str(exported.graph))
    # TorchScript prints the line of code that an operator came from behind a number sign.
    return [re.sub("# .*", "", graph) for graph in graphs]


@pytest.mark.slow
def test_code_that_calls_operations_compiles_to_the_same_graphs() -> None:
    sys.modules.setdefault(__name__, sys.modules[uses_operations.__module__])
    before = traced_graphs()

    instrumentation = Instrumentation()
    listen(Operations(Timeline("other", Stage.TRAIN)))
    instrumentation.time(*((resolve(name), section(name)) for name in TRACED))
    during = traced_graphs()
    instrumentation.undo()
    listen(None)

    assert during == before
    assert traced_graphs() == before


@pytest.mark.slow
def test_a_module_that_draws_random_numbers_as_it_is_imported_changes_none_of_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drawing_module.py").write_text(
        "import random, numpy, torch\n"
        "random.seed(1); numpy.random.seed(1); torch.manual_seed(1)\n"
        "def function(): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def draws() -> list[float]:
        return [random.random(), np.random.rand(), float(torch.rand(()))]  # noqa: S311 - the states that users seed

    seeds: list[Callable[[int], Any]] = [random.seed, np.random.seed, torch.manual_seed]
    for seed in seeds:
        seed(7)
    expected = draws()
    for seed in seeds:
        seed(7)
    resolve("drawing_module.function")

    assert draws() == expected
    sys.modules.pop("drawing_module")


def scaled(number: torch.Tensor) -> torch.Tensor:
    with section("scale"):
        number = number * 2
    return number + 1


def with_a_section_of_its_own(number: torch.Tensor) -> torch.Tensor:
    return with_shared(number) + 1


@section("shared")
def with_shared(number: torch.Tensor) -> torch.Tensor:
    return number * 2


@pytest.mark.parametrize("function", [scaled, with_a_section_of_its_own])
def test_code_with_a_section_compiles_to_one_graph_whether_recorded_or_not(
    function: Callable[[torch.Tensor], torch.Tensor], blocks: Blocks
) -> None:
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        graphs.append(str(graph.graph))
        return graph.forward

    torch._dynamo.reset()
    compiled = torch.compile(function, backend=backend, fullgraph=True)
    for listener in (blocks, None, blocks):
        listen(listener)
        assert compiled(torch.ones(2)).tolist() == [3.0, 3.0]
    listen(blocks)

    assert len(graphs) == 1
    assert "mul" in graphs[0]
    assert blocks.log == []
    assert {"scale", "shared"} & set(silent_names())
    assert function(torch.ones(2)).tolist() == [3.0, 3.0]
    assert len(blocks.log) == 2


def test_a_decorated_function_can_be_scripted(blocks: Blocks) -> None:
    scripted = torch.jit.script(with_shared)

    assert scripted(torch.ones(2)).tolist() == [2.0, 2.0]
    assert blocks.log == []


class Below(torch.nn.Module):
    def breaks(self, number: torch.Tensor) -> torch.Tensor:
        torch._dynamo.graph_break()
        return number * 2


class Named(Below):
    """A module whose methods are operations, and compiled code calls them."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = 2.0

    def scale(self, number: torch.Tensor) -> torch.Tensor:
        return number * self.factor

    def breaks(self, number: torch.Tensor) -> torch.Tensor:
        scaled = number + self.factor
        torch._dynamo.graph_break()
        return super().breaks(scaled) + 1

    def calls_a_method(self, number: torch.Tensor) -> torch.Tensor:
        return self.scale(number) + 1

    def calls_one_that_breaks_the_graph(self, number: torch.Tensor) -> torch.Tensor:
        return self.breaks(number) + Below.breaks(self, number)


METHODS = ("Named.scale", "Named.breaks", "Below.breaks")


def compiled(entry: str) -> tuple[list[str], list[float]]:
    """Return the graphs that a module's method compiles to, and what it returns twice."""
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        graphs.append(re.sub("# .*", "", str(graph.graph)))
        return graph.forward

    function: Any = torch.compile(getattr(Named(), entry), backend=backend)
    return graphs, [float(function(torch.ones(2)).sum()) for _ in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["calls_a_method", "calls_one_that_breaks_the_graph"])
def test_code_that_calls_methods_which_are_operations_compiles_as_without(entry: str) -> None:
    torch._dynamo.reset()
    without = compiled(entry)
    torch._dynamo.reset()
    operations = Operations(Timeline("other", Stage.TRAIN))
    listen(operations)
    instrumentation = Instrumentation()
    try:
        instrumentation.time(*((resolve(f"{__name__}.{name}"), section(name)) for name in METHODS))
        Named().scale(torch.ones(2))
        measured = compiled(entry)
    finally:
        instrumentation.undo()
        listen(None)

    assert measured == without
    assert operations["Named.scale"].tallies[Stage.TRAIN].calls == 1
    told = "methods were not timed any more: Named.scale, Named.breaks, Below.breaks"
    assert [note for note in operations.new_notes() if told in note]


@pytest.mark.slow
def test_code_compiled_before_a_run_whose_methods_are_operations_goes_on() -> None:
    torch._dynamo.reset()
    function: Any = torch.compile(Named().calls_one_that_breaks_the_graph, backend="eager")
    before = float(function(torch.ones(2)).sum())
    operations = Operations(Timeline("other", Stage.TRAIN))
    listen(operations)
    instrumentation = Instrumentation()
    try:
        instrumentation.time(*((resolve(f"{__name__}.{name}"), section(name)) for name in METHODS))
        measured = [float(function(torch.ones(2)).sum()) for _ in range(2)]
    finally:
        instrumentation.undo()
        listen(None)

    assert measured == [before] * 2
