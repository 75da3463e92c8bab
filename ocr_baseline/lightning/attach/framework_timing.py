"""What the trainer's own actions do not show, timed where it happens.

That is: loggers, `self.log`, manual optimization, the start and end of loaders and their workers,
and torchmetrics.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from torchmetrics import Metric
from typing_extensions import override

from ocr_baseline.lightning.attach.framework import class_of
from ocr_baseline.measure import sections
from ocr_baseline.measure.instrument import Instrumentation, operation_context
from ocr_baseline.measure.operation_names import Target, resolve
from ocr_baseline.measure.timed_functions import watch_compiler
from ocr_baseline.recording.collectives import timed_collectives
from ocr_baseline.recording.loaders import LoaderTiming
from ocr_baseline.recording.main_thread_span import MainThreadSpan
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from lightning.pytorch import LightningModule, Trainer
    from torch.utils.data import DataLoader

    from ocr_baseline.measure.recorder import Recorder

    _Timed = tuple[Target, AbstractContextManager[Any]]

METRIC_METHODS = ("update", "compute")

_FRAMEWORK_METHODS = (
    ("core.module", "LightningModule", "log", Line.LOGGING),
    ("core.module", "LightningModule", "manual_backward", Line.BACKWARD),
    ("core.optimizer", "LightningOptimizer", "step", Line.OPTIMIZER),
)
"""Module, class, method and line; a Lightning that names one otherwise leaves it untimed."""

_FETCHERS = ("_DataFetcher", "_PrefetchDataFetcher")
"""What gives the batch of a loader without length ahead of its stage's first hook."""


class LoggerSpan(MainThreadSpan):
    """The span of a logger; the time that it takes for the profiler's own metrics stays ours."""

    def __init__(self, recorder: Recorder) -> None:
        """Charge blocks to `logging`, those inside the profiler's own hooks to `profiler`."""
        super().__init__(recorder, Line.LOGGING)
        self._own_index = recorder.timeline.index(Line.PROFILER.value)
        self._is_entered: list[bool] = []

    @override
    def _enter(self) -> None:
        is_ours = self._timeline.current == self._own_index
        self._is_entered.append(not is_ours)
        if not is_ours:
            super()._enter()

    @override
    def _exit(self, *exc_info: Any) -> None:
        if self._is_entered and self._is_entered.pop():
            super()._exit(*exc_info)


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

    def apply(
        self,
        trainer: Trainer,
        *,
        running_stage: Callable[[], Stage],
        loader_startup: AbstractContextManager[Any],
    ) -> None:
        """Replace the framework's methods and the operations."""
        timed = list(self._framework_methods(trainer, loader_startup))
        if trainer.world_size > 1:
            timed += timed_collectives(self._recorder)
        timed += [
            (target, operation_context(target.dotted_name))
            for target in self._targets
            if not _is_metric_method(target)
        ]
        self._instrumentation.time(*timed)
        self._time_loaders(running_stage, loader_startup)
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
        self, trainer: Trainer, loader_startup: AbstractContextManager[Any]
    ) -> Iterator[_Timed]:
        for module, name, attribute, line in _FRAMEWORK_METHODS:
            owner = class_of(trainer, module, name)
            if owner is not None and hasattr(owner, attribute):
                yield _method(owner, attribute), MainThreadSpan(self._recorder, line)
        for logger_class in {type(logger) for logger in trainer.loggers}:
            if inspect.getattr_static(logger_class, "log_metrics", None) is not None:
                yield _method(logger_class, "log_metrics"), LoggerSpan(self._recorder)
        for name in _FETCHERS:
            fetcher = class_of(trainer, "loops.fetchers", name)
            if fetcher is not None and "__iter__" in vars(fetcher):
                yield _method(fetcher, "__iter__"), loader_startup

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

    def _time_loaders(
        self, running_stage: Callable[[], Stage], loader_startup: AbstractContextManager[Any]
    ) -> None:
        """Charge the start of loaders and the end of their workers, and record the workers."""
        timing = LoaderTiming(
            self._recorder,
            tuple(target.dotted_name for target in self._targets),
            startup=loader_startup,
            stage_of=lambda loader: _recorded_stage(running_stage(), loader),
        )
        timing.apply(self._instrumentation)


def _method(owner: type, attribute: str) -> Target:
    return Target(dotted_name=f"{owner.__qualname__}.{attribute}", owner=owner, attribute=attribute)


def _recorded_stage(stage: Stage, loader: DataLoader[Any]) -> Stage:
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
        if isinstance(function, FunctionType):
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
