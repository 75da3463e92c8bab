"""Precisions, strategies and several processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import BATCHES, Net, loader

if TYPE_CHECKING:
    from benchmarks.guest_members.session import Guest

member = Members()


class Any_(Net):
    """Takes rows of any precision."""

    def loss_of(self, batch: Any) -> Any:
        """Return the loss in the layer's own precision."""
        rows = batch[0].to(next(self.parameters()).dtype)
        return self.layer(rows).float().pow(2).mean()


@member
def mixed(guest: Guest) -> None:
    """bf16-mixed."""
    guest.fit(Any_(), precision="bf16-mixed")


@member
def true_bfloat(guest: Guest) -> None:
    """bf16-true."""
    guest.fit(Any_(), precision="bf16-true")


@member
def doubles(guest: Guest) -> None:
    """64-true."""
    guest.fit(Any_(), precision="64-true")


def _in_two(guest: Guest, strategy: str, **arguments: Any) -> Any:
    trainer = guest.trainer(strategy=strategy, devices=2, **arguments)
    trainer.fit(guest.kept(Net()), loader(), loader())
    # Each process has half of the batches; ours may sum them up or show one process.
    for phase in ("train", "validation"):
        guest.true(f"{phase}.batches", (BATCHES, 2 * BATCHES))
    guest.true("run.status", "finished")
    return trainer


@member
def two_forked(guest: Guest) -> None:
    """Two forked processes that exchange gradients."""
    _in_two(guest, "ddp_fork")


@member
def two_spawned(guest: Guest) -> None:
    """Two spawned processes that exchange gradients."""
    _in_two(guest, "ddp_spawn", max_epochs=1)
    for phase in ("train", "validation"):
        guest.true(f"{phase}.batches", (BATCHES // 2, BATCHES))


@member
def test_after_fit(guest: Guest) -> None:
    """fit, then test, in two forked processes each: the report has all three phases."""
    trainer = _in_two(guest, "ddp_fork")
    trainer.test(Net(), loader(), verbose=False)
    guest.true("test.batches", (BATCHES // 2, BATCHES))


@member
def forked_with_workers(guest: Guest) -> None:
    """Two forked processes with a loader worker each."""
    trainer = guest.trainer(strategy="ddp_fork", devices=2)
    trainer.fit(guest.kept(Net()), loader(num_workers=1))


@member
def compiled_collective(guest: Guest) -> None:
    """Two forked processes whose step calls a function with a collective, compiled as one graph."""
    import torch
    from torch import distributed

    def summed(loss: torch.Tensor) -> torch.Tensor:
        total = loss.clone()
        distributed.all_reduce(total)
        return total

    class Sums(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            loss = super().training_step(batch, batch_idx)
            torch.compile(summed, backend="eager", fullgraph=True)(loss.detach())
            return loss

    guest.trainer(strategy="ddp_fork", devices=2).fit(guest.kept(Sums()), loader())


@member
def one_process_of_ddp(guest: Guest) -> None:
    """The strategy for several processes with one."""
    guest.fit(strategy="ddp", devices=1)


@member
def second_package(guest: Guest) -> None:
    """A trainer of pytorch_lightning, where it is installed."""
    try:
        import pytorch_lightning as pl
    except ImportError:
        guest.tell(not_tried=True)
        return
    import torch

    class Other(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(8, 1)

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            loss = self.layer(batch[0]).pow(2).mean()
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.05)

    module = Other()
    guest.reports[0] = guest.folder / "run0" / "baseline"
    trainer = pl.Trainer(
        callbacks=guest.ours(),  # type: ignore[arg-type]  # the same classes under another name
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=guest.folder / "run0",
    )
    trainer.fit(module, loader())
    guest.tell(weight=float(module.layer.weight.sum()))
    guest.true("train.batches", 2 * BATCHES)
    guest.true("train.samples", 8 * BATCHES)
