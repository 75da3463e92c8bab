"""What the callbacks ask of a trainer, in the engine's words.

Lightning sets some public attributes of its Trainer without declaring their types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.attach.framework import class_of, is_a
from ocr_baseline.measure import sampling
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from lightning.pytorch import Trainer
    from lightning.pytorch.callbacks import Callback
    from lightning.pytorch.profilers import Profiler

    from ocr_baseline.vocabulary import RunStatus

_STAGES = {
    "train": Stage.TRAIN,
    "sanity_check": Stage.SANITY_CHECK,
    "validate": Stage.VALIDATION,
    "test": Stage.TEST,
    "predict": Stage.PREDICT,
}
"""By the values of Lightning's `RunningStage`."""


def callbacks_of(trainer: Trainer) -> list[Callback]:
    """Return the trainer's callbacks, in the order in which it calls them."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # see the module
    return callbacks


def profiler_of(trainer: Trainer) -> Profiler:
    """Return the profiler that the trainer brackets its actions with."""
    profiler: Profiler = trainer.profiler  # type: ignore[attr-defined]  # see the module
    return profiler


def has_plain_profiler(trainer: Trainer) -> bool:
    """Whether the trainer's profiler is the one that does nothing."""
    name = "PassThroughProfiler"
    return type(profiler_of(trainer)) is class_of(trainer, "profilers", name)


def keep_sampling_out_of_saved_handlers(trainer: Trainer) -> None:
    """Keep the trainer from putting the sampling's signal handler back after the run.

    It saves all handlers as it begins, and puts them back after it has told of an exception.
    """
    saved = getattr(getattr(trainer, "_signal_connector", None), "_original_handlers", None)
    if isinstance(saved, dict):  # Lightning's own, which a version may name otherwise
        sampling.keep_from_return(saved)


def running_stage(trainer: Trainer) -> Stage:
    """Return the stage that the trainer is in; `setup` before it has one."""
    stage = trainer.state.stage
    return Stage.SETUP if stage is None else _STAGES[stage.value]


def is_module_of(trainer: Trainer, module: Any) -> bool:
    """Whether the trainer runs this module or one that holds it."""
    # Lightning's own attribute: its property may be overridden, and raises outside of a run.
    return vars(module).get("_trainer", trainer) is trainer


def is_optimizer_of(trainer: Trainer, optimizer: Any) -> bool:
    """Whether a `LightningOptimizer` wraps one of the trainer's."""
    return any(one is optimizer.optimizer for one in trainer.optimizers)


def optimizes_by_itself(trainer: Trainer) -> bool:
    """Whether the trainer's module steps its optimizers itself."""
    return not trainer.lightning_module.automatic_optimization


def is_precision_of(trainer: Trainer, precision: Any) -> bool:
    """Whether a precision plugin is the trainer's."""
    return precision is trainer.precision_plugin


def is_logger_of(trainer: Trainer, logger: Any) -> bool:
    """Whether a logger is one of the trainer's."""
    return any(one is logger for one in trainer.loggers)


def stage_of_fetcher(trainer: Trainer, fetcher: Any) -> Stage | None:
    """Return the stage of the trainer's loop that a fetcher reads for, None where it is no loop's.

    The trainer's state decides only where loops share a `CombinedLoader`: a callback may run a
    loop of the trainer without telling it.
    """
    loader = fetcher.combined_loader
    stages = [stage for loop, stage in _loops(trainer) if _combined_loader(loop) is loader]
    running = running_stage(trainer)
    return running if running in stages else next(iter(stages), None)


def has_loader(trainer: Trainer, loader: Any) -> bool:
    """Whether a loader is one of those that a loop of the trainer reads."""
    combined = [_combined_loader(loop) for loop, _ in _loops(trainer)]
    return any(one is loader for each in combined if each is not None for one in each.flattened)


def _loops(trainer: Trainer) -> list[tuple[Any, Stage]]:
    validation = Stage.SANITY_CHECK if trainer.sanity_checking else Stage.VALIDATION
    return [
        (trainer.fit_loop, Stage.TRAIN),
        (trainer.fit_loop.epoch_loop.val_loop, validation),
        (trainer.validate_loop, Stage.VALIDATION),
        (trainer.test_loop, Stage.TEST),
        (trainer.predict_loop, Stage.PREDICT),
    ]


def _combined_loader(loop: Any) -> Any:
    """Return what a loop reads; None also in a Lightning that names it otherwise."""
    return getattr(loop, "_combined_loader", None)


def is_fitting(trainer: Trainer) -> bool:
    """Whether the trainer's entry point is `fit`, whichever loop runs in it."""
    return trainer.state.fn is not None and trainer.state.fn.value == "fit"


def is_running(trainer: Trainer) -> bool:
    """Whether an entry point of the trainer is under way."""
    return trainer.state.status.value == "running"


def was_told_to_end(trainer: Trainer) -> bool:
    """Whether a SIGTERM has ended the run, as far as this trainer says so."""
    return bool(getattr(trainer, "received_sigterm", False))


def status_of(trainer: Trainer, exception: BaseException) -> RunStatus:
    """Return how a run ends that this exception ends.

    Ctrl-C, SIGTERM and `sys.exit()` without an error code interrupt; everything else fails.
    """
    if isinstance(exception, SystemExit):
        return "failed" if exception.code else "interrupted"
    is_signal = is_a(exception, trainer, "utilities.exceptions", "SIGTERMException")
    return "interrupted" if isinstance(exception, KeyboardInterrupt) or is_signal else "failed"
