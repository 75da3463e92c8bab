"""Stages of a run and the lines of a stage's time breakdown, in the field's own terms."""

from __future__ import annotations

from enum import Enum


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


REPORTED_STAGES = (Stage.TRAIN, Stage.VALIDATION, Stage.TEST, Stage.PREDICT)
"""The stages that a report has a phase for, in the order in which it shows them."""

STAGE_WORDS = {
    Stage.TRAIN.value: "training",
    Stage.VALIDATION.value: "validation",
    Stage.TEST.value: "test",
    Stage.PREDICT.value: "prediction",
}
"""What a sentence calls the phase of a stage."""


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
