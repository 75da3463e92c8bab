"""The words that every part shares: stages, phases, lines, sources, statuses and reasons."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Stage(str, Enum):
    """What the trainer's main thread was doing; every moment of a run has exactly one stage."""

    SETUP = "setup"
    SANITY_CHECK = "sanity_check"
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    PREDICT = "predict"

    __hash__ = str.__hash__  # `Enum` hashes in Python, five times as slow, at each timed call

    @property
    def metric_prefix(self) -> str:
        """The prefix of the stage's logged metrics, as in `performance/val_batch_mean`."""
        return "val" if self is Stage.VALIDATION else self.value


PhaseName = Literal["train", "validation", "test", "predict"]
PHASES: Mapping[Stage, PhaseName] = {
    Stage.TRAIN: "train",
    Stage.VALIDATION: "validation",
    Stage.TEST: "test",
    Stage.PREDICT: "predict",
}
"""The stages that have a phase in a report, and its name, in the order of the report."""

REPORTED_STAGES = tuple(PHASES)
PHASE_NAMES = tuple(PHASES.values())
PHASE_WORDS: Mapping[str, str] = {
    "train": "training",
    "validation": "validation",
    "test": "test",
    "predict": "prediction",
}
"""What a sentence calls a phase."""

RunStatus = Literal["finished", "failed", "interrupted", "running", "unknown"]
SourceName = Literal[
    "recorder",
    "logged-metrics",
    "wandb-api",
    "wandb-offline",
    "csv",
    "tensorboard",
    "mlflow",
]
MissingReason = Literal["not_collected", "unsupported", "failed", "skipped"]


class Line(str, Enum):
    """A line of the breakdown; beside these, each named operation is a line of its own."""

    LOADER_STARTUP = "loader_startup"
    DATA_WAIT = "data_wait"
    TRANSFER = "transfer"
    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"
    METRICS = "metrics"
    COLLECTIVES = "collectives"
    LOGGING = "logging"
    CHECKPOINT = "checkpoint"
    CALLBACKS = "callbacks"
    MODULE_HOOKS = "module_hooks"
    PROFILER = "profiler"
    OTHER = "other"


OPERATION_LINE_PREFIX = "op:"
"""What the breakdown line of a named operation begins with, before the operation's name."""

IDLE_LINE = "idle"
FETCH_LINE = "fetch"
"""Lines of a data-loader worker: waiting for work, and making a batch but for named operations."""

SECONDS_PER_NS = 1e-9


def names_of(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return the names that a setting gives: one as a plain string, or several."""
    return (names,) if isinstance(names, str) else tuple(names)


COMMIT_LENGTH = 12
"""So many digits of a commit are shown."""
