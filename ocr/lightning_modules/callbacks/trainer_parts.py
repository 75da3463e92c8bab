"""Public attributes of the Trainer that Lightning sets without declaring their types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning.pytorch import Trainer
    from lightning.pytorch.callbacks import Callback
    from lightning.pytorch.profilers import Profiler


def callbacks_of(trainer: Trainer) -> list[Callback]:
    """Return the trainer's callbacks, in the order in which it calls them."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # see the module
    return callbacks


def profiler_of(trainer: Trainer) -> Profiler:
    """Return the profiler that the trainer brackets its actions with."""
    profiler: Profiler = trainer.profiler  # type: ignore[attr-defined]  # see the module
    return profiler


def set_profiler(trainer: Trainer, profiler: Profiler) -> None:
    """Make the trainer bracket its actions with another profiler."""
    trainer.profiler = profiler  # type: ignore[attr-defined]  # see the module
