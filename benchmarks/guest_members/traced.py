"""Compiled, scripted, exported and mapped code stays what it is without us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from benchmarks.guest_members import losses
from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import Net
from ocr_baseline import section

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.guest_members.session import Guest

member = Members()
_jit: Any = torch.jit  # torch leaves its functions untyped
OPERATIONS = ["torch.nn.functional.relu", "torch.nn.functional.mse_loss"]


class Head(torch.nn.Module):
    """A layer, in a section or not."""

    def __init__(self, *, is_named: bool) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(8, 8)
        self.is_named = is_named

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, made positive."""
        if self.is_named:
            with section("head"):
                rows = self.layer(rows)
        else:
            rows = self.layer(rows)
        return functional.relu(rows)


def _counting(guest: Guest) -> Callable[..., Any]:
    def backend(graph: Any, inputs: Any) -> Any:
        guest.graphs["compiled"] = guest.graphs.get("compiled", 0) + 1
        guest.graphs["nodes"] = guest.graphs.get("nodes", 0) + len(graph.graph.nodes)
        return graph.forward

    return backend


def _through(make: Callable[[], Any]) -> Net:
    """Return a module whose steps put the rows through what is made at the start of the fit."""

    class Through(Net):
        def on_fit_start(self) -> None:
            vars(self)["made"] = make()

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return super().training_step([vars(self)["made"](batch[0])], batch_idx)

    return Through()


def _compiled(guest: Guest, *, is_named: bool, fullgraph: bool, operations: list[str]) -> None:
    backend = _counting(guest)
    head = Head(is_named=is_named)
    module = _through(lambda: torch.compile(head, backend=backend, fullgraph=fullgraph))
    guest.fit(module, operations=operations)


@member
def compiled_section_whole(guest: Guest) -> None:
    """A section inside a module that is compiled as one graph."""
    _compiled(guest, is_named=True, fullgraph=True, operations=[])


@member
def compiled_section(guest: Guest) -> None:
    """A section inside a compiled module that may have breaks."""
    _compiled(guest, is_named=True, fullgraph=False, operations=[])


@member
def compiled_operation_whole(guest: Guest) -> None:
    """An operation inside a module that is compiled as one graph."""
    _compiled(guest, is_named=False, fullgraph=True, operations=OPERATIONS)


@member
def compiled_operation(guest: Guest) -> None:
    """An operation inside a compiled module that may have breaks."""
    _compiled(guest, is_named=False, fullgraph=False, operations=OPERATIONS)


@member
def compiled_own_operation(guest: Guest) -> None:
    """An operation of the user's own, called by a compiled function."""

    def run(rows: torch.Tensor) -> torch.Tensor:
        return losses.scaled(rows) + losses.Base.doubled(rows)

    names = [f"{losses.__name__}.scaled", f"{losses.__name__}.Base.doubled"]
    module = _through(lambda: torch.compile(run, backend=_counting(guest), fullgraph=True))
    guest.fit(module, operations=names)


@member
def compiled_before_the_fit(guest: Guest) -> None:
    """A function is compiled and called before the run, in it, and after it."""
    run = torch.compile(lambda rows: functional.relu(rows) * 2, backend=_counting(guest))
    run(torch.ones(4, 8))
    guest.fit(_through(lambda: run), operations=OPERATIONS)
    run(torch.ones(4, 8))


@member
def compiled_decorated(guest: Guest) -> None:
    """A function that a section decorates is compiled as one graph."""

    @section("decorated")
    def run(rows: torch.Tensor) -> torch.Tensor:
        return rows * 2

    module = _through(lambda: torch.compile(run, backend=_counting(guest), fullgraph=True))
    guest.fit(module)


@member
def compiled_lightning_module(guest: Guest) -> None:
    """The whole LightningModule is compiled, `self.log` in its step included."""
    module = guest.kept(Net())
    compiled: Any = torch.compile(module, backend=_counting(guest))
    guest.trainer().fit(compiled, _rows())


@member
def compiled_metric(guest: Guest) -> None:
    """A function that updates a metric is compiled."""
    from torchmetrics import MeanMetric

    class Holds(Net):
        def __init__(self) -> None:
            super().__init__()
            self.mean = MeanMetric()

        def on_train_epoch_end(self) -> None:
            run = torch.compile(lambda x: self.mean.update(x), backend="eager")
            run(torch.tensor(1.0))
            guest.tell(mean=float(self.mean.compute()))

    guest.fit(Holds())


@member
def compiled_optimizer(guest: Guest) -> None:
    """The optimizer's step is compiled."""

    class Compiles(Net):
        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.SGD(self.parameters(), lr=0.05)
            optimizer.step = torch.compile(optimizer.step, backend="eager")  # type: ignore[method-assign]  # tried
            return optimizer

    guest.fit(Compiles(), operations=["torch.optim.SGD.step"])


@member
def scripted(guest: Guest) -> None:
    """A function that calls an operation is scripted as the run goes."""

    def make() -> Any:
        return torch.jit.script(losses_scripted)

    guest.fit(_through(make), operations=OPERATIONS)


def losses_scripted(rows: torch.Tensor) -> torch.Tensor:
    """Return rows made positive; TorchScript reads this source."""
    return torch.nn.functional.relu(rows)


@member
def scripted_module(guest: Guest) -> None:
    """The LightningModule is exported to TorchScript at the end of each epoch."""

    class Exports(Net):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.layer(rows)
            return output

        def on_train_epoch_end(self) -> None:
            guest.tell(kind=type(self.to_torchscript()).__name__)

    guest.fit(Exports())


@member
def traced_by_jit(guest: Guest) -> None:
    """A module with a section is traced by torch.jit.trace."""
    head = Head(is_named=True)
    guest.fit(_through(lambda: _jit.trace(head, torch.ones(4, 8))), operations=OPERATIONS)


@member
def exported(guest: Guest) -> None:
    """A module with a section is exported by torch.export."""

    def make() -> Any:
        program = torch.export.export(Head(is_named=True), (torch.ones(4, 8),))
        guest.graphs["nodes"] = len(program.graph.nodes)
        return program.module()

    guest.fit(_through(make), operations=OPERATIONS)


@member
def mapped(guest: Guest) -> None:
    """torch.vmap over a function with a section and an operation."""

    def run(row: torch.Tensor) -> torch.Tensor:
        with section("row"):
            return functional.relu(row)

    guest.fit(_through(lambda: torch.vmap(run)), operations=OPERATIONS)


@member
def differentiated(guest: Guest) -> None:
    """torch.func.grad and jvp through a function with a section and an operation."""

    def run(rows: torch.Tensor) -> torch.Tensor:
        with section("rows"):
            return functional.relu(rows).sum()

    guest.fit(_through(lambda: torch.func.grad(run)), operations=OPERATIONS)


@member
def symbolically_traced(guest: Guest) -> None:
    """torch.fx traces a module with a section and an operation."""

    def make() -> Any:
        traced = torch.fx.symbolic_trace(Head(is_named=True))
        guest.graphs["nodes"] = len(traced.graph.nodes)
        return traced

    guest.fit(_through(make), operations=OPERATIONS)


@member
def proxied(guest: Guest) -> None:
    """make_fx traces a function with a section and an operation."""
    from torch.fx.experimental.proxy_tensor import make_fx

    def run(rows: torch.Tensor) -> torch.Tensor:
        with section("rows"):
            return functional.relu(rows)

    def make() -> Any:
        traced = make_fx(run)(torch.ones(4, 8))
        guest.graphs["nodes"] = len(traced.graph.nodes)
        return traced

    guest.fit(_through(make), operations=OPERATIONS)


@member
def recomputed(guest: Guest) -> None:
    """Activation checkpointing runs a section again in the backward pass."""
    head = Head(is_named=True)
    guest.fit(
        _through(lambda: lambda rows: checkpoint(head, rows.requires_grad_(), use_reentrant=False))
    )


@member
def section_in_backward(guest: Guest) -> None:
    """A section and an operation inside the backward pass of an autograd function."""

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, rows: torch.Tensor) -> torch.Tensor:
            return rows * 2

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            with section("backward part"):
                return functional.relu(gradient)

    class Uses(Net):
        def loss_of(self, batch: Any) -> torch.Tensor:
            output: torch.Tensor = Twice.apply(self.layer(batch[0]))
            return output.pow(2).mean()

    guest.fit(Uses(), operations=OPERATIONS)


@member
def functional_call(guest: Guest) -> None:
    """torch.func.functional_call runs a submodule with other weights."""
    head = Head(is_named=True)
    weights = {name: value * 2 for name, value in head.named_parameters()}
    guest.fit(
        _through(lambda: lambda rows: torch.func.functional_call(head, weights, (rows,)).detach())
    )


def _rows() -> Any:
    from benchmarks.guest_members.session import loader

    return loader()
