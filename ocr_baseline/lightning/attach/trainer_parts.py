"""What the callbacks ask of a trainer, in the engine's words.

Lightning sets some public attributes of its Trainer without declaring their types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning.pytorch.trainer.states import RunningStage
from lightning.pytorch.utilities.exceptions import SIGTERMException

from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from lightning.pytorch import Trainer
    from lightning.pytorch.callbacks import Callback
    from lightning.pytorch.profilers import Profiler

    from ocr_baseline.vocabulary import RunStatus

_STAGES = {
    RunningStage.TRAINING: Stage.TRAIN,
    RunningStage.SANITY_CHECKING: Stage.SANITY_CHECK,
    RunningStage.VALIDATING: Stage.VALIDATION,
    RunningStage.TESTING: Stage.TEST,
    RunningStage.PREDICTING: Stage.PREDICT,
}


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


def running_stage(trainer: Trainer) -> Stage:
    """Return the stage that the trainer is in; `setup` before it has one."""
    stage = trainer.state.stage
    return Stage.SETUP if stage is None else _STAGES[stage]


def status_of(exception: BaseException) -> RunStatus:
    """Return how a run ends that this exception ends.

    Ctrl-C, SIGTERM and `sys.exit()` without an error code interrupt; everything else fails.
    """
    if isinstance(exception, SystemExit):
        return "failed" if exception.code else "interrupted"
    return (
        "interrupted" if isinstance(exception, KeyboardInterrupt | SIGTERMException) else "failed"
    )
