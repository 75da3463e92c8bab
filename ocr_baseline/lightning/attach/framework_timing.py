"""What the trainer's own actions do not show, timed where it happens.

That is: loggers, `self.log`, manual optimization, the start and end of loaders and their workers,
and torchmetrics.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from torchmetrics import Metric

from ocr_baseline.lightning.attach.framework import class_of
from ocr_baseline.lightning.attach.own_calls import OwnCalls
from ocr_baseline.lightning.attach.trainer_parts import (
    is_logger_of,
    is_module_of,
    is_optimizer_of,
    is_precision_of,
    optimizes_by_itself,
)
from ocr_baseline.measure import sections
from ocr_baseline.measure.instrument import Instrumentation, operation_context
from ocr_baseline.measure.operation_names import resolve
from ocr_baseline.measure.timed_functions import is_exchangeable, watch_compiler
from ocr_baseline.recording.collectives import timed_collectives
from ocr_baseline.recording.loaders import LoaderTiming
from ocr_baseline.recording.main_thread_span import MainThreadSpan
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lightning.pytorch import LightningModule, Trainer
    from torch.utils.data import DataLoader

    from ocr_baseline.lightning.attach.loader_starts import LoaderStarts
    from ocr_baseline.measure.operation_names import Target
    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.measure.timed_functions import ContextOfCall

METRIC_METHODS = ("update", "compute")

_FRAMEWORK_METHODS = (
    ("core.module", "LightningModule", "log", Line.LOGGING, is_module_of),
    ("core.module", "LightningModule", "manual_backward", Line.BACKWARD, is_module_of),
    ("core.optimizer", "LightningOptimizer", "step", Line.OPTIMIZER, is_optimizer_of),
)
"""Module, class, method, line, and whose a call is; a Lightning that names one otherwise leaves it
untimed."""

_LOGGER_METHODS = ("log_metrics", "save")
"""The trainer calls both for each row of metrics; a logger may write its file in either."""

_RUNS_CLOSURE = "_wrap_closure"
"""The method of a precision plugin that an optimizer's `step` calls to run the closure."""

_FETCHERS = ("_DataFetcher", "_PrefetchDataFetcher")
"""What gives the batch of a loader without length ahead of its stage's first hook."""


class FrameworkTiming:
    """All that is replaced while a run is recorded; `undo` puts it back."""

    def __init__(self, recorder: Recorder, operations: Iterable[str]) -> None:
        """Resolve the operations' dotted names.

        Raises:
            OperationError: When a name leads nowhere, or to something that can't be timed.
        """
        self._recorder = recorder
        self._instrumentation = Instrumentation()
        self._targets = [resolve(name) for name in operations]
        self._timed_metrics: set[int] = set()
        self._timed_functions: set[tuple[str, int]] = set()

    def apply(self, trainer: Trainer, starts: LoaderStarts) -> None:
        """Time the framework's methods, the starts of loaders and the operations."""
        for method, context in self._framework_methods(trainer, starts):
            if is_exchangeable(method):
                self._instrumentation.time_function(method, context)
        timed = timed_collectives(self._recorder) if trainer.world_size > 1 else []
        timed += [
            (target, operation_context(target.dotted_name))
            for target in self._targets
            if not _is_metric_method(target)
        ]
        self._instrumentation.time(*timed)
        self._time_loaders(starts)
        self._time_named_metrics()
        names = [target.dotted_name for target in self._targets]
        self._recorder.operations.reserve(names)
        self._recorder.write_header({"operations": names})
        sections.join(self._recorder.operations)

    def time_metrics(self, module: LightningModule) -> None:
        """Time the torchmetrics of `module` that are not timed yet, on the line `metrics`.

        A metric makes functions of its own of its methods as it is made, so each has its own.
        """
        for metric in module.modules():
            if isinstance(metric, Metric) and id(metric) not in self._timed_metrics:
                self._timed_metrics.add(id(metric))
                for attribute in METRIC_METHODS:
                    self._instrumentation.time_method(
                        getattr(metric, attribute), MainThreadSpan(self._recorder, Line.METRICS)
                    )
        self._time_named_metrics()
        watch_compiler()  # it may have been loaded since

    def undo(self) -> None:
        """Take everything back."""
        sections.leave(self._recorder.operations)
        self._instrumentation.undo()
        self._timed_metrics.clear()
        self._timed_functions.clear()

    def _framework_methods(
        self, trainer: Trainer, starts: LoaderStarts
    ) -> Iterator[tuple[Any, ContextOfCall]]:
        """Yield methods and what each call of them runs inside."""
        for module, name, attribute, line, is_own in _FRAMEWORK_METHODS:
            owner = class_of(trainer, module, name)
            is_of_run = functools.partial(is_own, trainer)
            yield _method(owner, attribute), OwnCalls(self._recorder, line, is_of_run)
        if optimizes_by_itself(trainer):  # a closure given to `step` is part of the training step
            closures = OwnCalls(
                self._recorder, Line.FORWARD, functools.partial(is_precision_of, trainer)
            )
            yield _method(type(trainer.precision_plugin), _RUNS_CLOSURE), closures
        logged = OwnCalls(self._recorder, Line.LOGGING, self._logs_the_users(trainer))
        for logger_class in {type(logger) for logger in trainer.loggers}:
            for attribute in _LOGGER_METHODS:
                yield _method(logger_class, attribute), logged
        for name in _FETCHERS:
            fetcher = class_of(trainer, "loops.fetchers", name)
            if fetcher is not None:
                yield vars(fetcher).get("__iter__"), starts.of_fetcher

    def _logs_the_users(self, trainer: Trainer) -> Callable[[Any], bool]:
        """Return whether a logger is the trainer's; with the profiler's metrics it is ours."""
        timeline = self._recorder.timeline
        return lambda logger: timeline.current != timeline.own and is_logger_of(trainer, logger)

    def _time_named_metrics(self) -> None:
        """Time the metrics' methods that operations name, wherever the metrics are.

        A name of a class stands for the classes below it too, as far as they are loaded.
        """
        for target in self._targets:
            if not _is_metric_method(target):
                continue
            context = operation_context(target.dotted_name)
            for function in _implementations(target):
                if (target.dotted_name, id(function)) not in self._timed_functions:
                    self._timed_functions.add((target.dotted_name, id(function)))
                    holds = _IsCalledFirst(function, target.attribute)
                    self._instrumentation.time_function(function, context, holds)

    def _time_loaders(self, starts: LoaderStarts) -> None:
        """Charge the start of loaders and the end of their workers, and record the workers."""
        timing = LoaderTiming(
            self._recorder,
            tuple(target.dotted_name for target in self._targets),
            started=starts.of_loader,
            ended=starts.of_end,
            stage_of=lambda loader: _recorded_stage(starts.stage_that_starts(), loader),
        )
        timing.apply(self._instrumentation)


def _method(owner: type | None, attribute: str) -> Any:
    return inspect.getattr_static(owner, attribute, None)


def _recorded_stage(stage: Stage | None, loader: DataLoader[Any]) -> Stage | None:
    """Return whose workers these are: those of the sanity check that stay go on to validate."""
    if stage is Stage.SANITY_CHECK and loader.persistent_workers:
        return Stage.VALIDATION
    return stage


def _is_metric_method(target: Target) -> bool:
    return (
        isinstance(target.owner, type)
        and issubclass(target.owner, Metric)
        and target.attribute in METRIC_METHODS
    )


def _implementations(target: Target) -> Iterator[FunctionType]:
    """Yield the functions that a method is in a class and in the classes below it."""
    classes = [target.owner]
    while classes:
        found = classes.pop()
        classes += [one for one in found.__subclasses__() if not _is_of_framework(one)]
        function = vars(found).get(target.attribute)
        if found is target.owner:
            function = target.static_value
        if type(function) is FunctionType:
            yield function


def _is_of_framework(metric_class: type) -> bool:
    """Whether a metric is one of those in which Lightning keeps what `self.log` is given."""
    return metric_class.__module__.partition(".")[0] in {"lightning", "pytorch_lightning"}


@dataclass(frozen=True)
class _IsCalledFirst:
    """Tells calls of a metric's own method from those that go on to a class above it."""

    function: FunctionType
    attribute: str

    def __call__(self, metric: Any) -> bool:
        return inspect.getattr_static(type(metric), self.attribute, None) is self.function
