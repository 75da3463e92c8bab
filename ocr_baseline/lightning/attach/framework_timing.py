"""What the trainer's own actions do not show, timed where it happens.

That is: loggers, `self.log`, manual optimization, the start and end of loaders and their workers,
and torchmetrics.
"""

from __future__ import annotations

from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any

from torch import distributed
from torch.utils.data import DataLoader, dataloader
from torchmetrics import Metric

from ocr_baseline.lightning.attach.framework import class_of
from ocr_baseline.lightning.attach.loader_workers import start_iterating
from ocr_baseline.lightning.attach.patches import Patches, handed_to_listener
from ocr_baseline.measure.collate import time_held_collate
from ocr_baseline.measure.instrument import Instrumentation, wrap_callable
from ocr_baseline.measure.operation_names import Target, resolve
from ocr_baseline.measure.sections import section
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.measure.recorder import Recorder
    from ocr_baseline.vocabulary import Stage

    _Timed = tuple[Target, AbstractContextManager[Any]]

METRIC_METHODS = ("update", "compute")

COLLECTIVES = (
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "gather",
    "gather_object",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter",
)
"""Functions of `torch.distributed` in which a rank waits for others. DDP's exchange of gradients
is none of them: it runs in the backward pass, below Python."""

_FRAMEWORK_METHODS = (
    ("core.module", "LightningModule", "log", Line.LOGGING),
    ("core.module", "LightningModule", "manual_backward", Line.BACKWARD),
    ("core.optimizer", "LightningOptimizer", "step", Line.OPTIMIZER),
)
"""Module, class, method and line; a Lightning that names one otherwise leaves it untimed."""


class LoggerSpan:
    """The span of a logger; the time that it takes for the profiler's own metrics stays ours."""

    def __init__(self, recorder: Recorder) -> None:
        """Charge blocks to `logging`, those inside the profiler's own hooks to `profiler`."""
        self._span = recorder.span(Line.LOGGING.value)
        self._timeline = recorder.timeline
        self._own_index = recorder.timeline.index(Line.PROFILER.value)
        self._is_entered: list[bool] = []

    def __enter__(self) -> None:
        is_ours = self._timeline.current == self._own_index
        self._is_entered.append(not is_ours)
        if not is_ours:
            self._span.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        if self._is_entered and self._is_entered.pop():
            self._span.__exit__(*exc_info)


class MainThreadSpan:
    """A span that does nothing in other threads, for methods that any thread may call."""

    def __init__(self, recorder: Recorder, line: Line) -> None:
        """Charge blocks of the thread that makes this object to `line`."""
        self._span = recorder.span(line.value)
        self._thread = get_ident()

    def __enter__(self) -> None:
        if get_ident() == self._thread:
            self._span.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        if get_ident() == self._thread:
            self._span.__exit__(*exc_info)


class FrameworkTiming:
    """All that is replaced while a run is recorded; `undo` puts it back."""

    def __init__(
        self,
        recorder: Recorder,
        operations: Iterable[str],
        failed: Callable[[Exception], None],
    ) -> None:
        """Resolve the operations' dotted names; `failed` is told what goes wrong as the run goes.

        Raises:
            OperationError: When a name leads nowhere, or to something that can't be timed.
        """
        self._recorder = recorder
        self._failed = failed
        self._patches = Patches()
        self._instrumentation = Instrumentation()
        self._targets = [resolve(name) for name in operations]
        self._timed_metrics: set[int] = set()

    @property
    def patches(self) -> Patches:
        """The methods that this run listens to."""
        return self._patches

    def apply(
        self,
        trainer: Trainer,
        *,
        running_stage: Callable[[], Stage],
        loader_startup: AbstractContextManager[Any],
    ) -> None:
        """Replace the framework's methods and the operations."""
        self._time_framework(trainer, loader_startup)
        timed: list[_Timed] = self._collectives() if trainer.world_size > 1 else []
        timed += [
            (target, section(target.dotted_name))
            for target in self._targets
            if not _is_metric_method(target)
        ]
        self._instrumentation.time(*timed)
        time_held_collate(self._instrumentation)
        self._time_loaders(running_stage, loader_startup)

    def time_metrics(self, module: LightningModule) -> None:
        """Time the torchmetrics of `module` that are not timed yet.

        A metric binds its methods to itself when it is made, so each one is wrapped in place; an
        operation that names the class's method gets the time, otherwise the line `metrics` does.
        """
        for metric in module.modules():
            if isinstance(metric, Metric) and id(metric) not in self._timed_metrics:
                self._timed_metrics.add(id(metric))
                for attribute in METRIC_METHODS:
                    context = self._metric_context(metric, attribute)
                    wrapped = wrap_callable(getattr(metric, attribute), context)
                    self._instrumentation.replace(metric, attribute, wrapped)

    def undo(self) -> None:
        """Put everything back."""
        self._patches.undo()
        self._instrumentation.undo()
        self._timed_metrics.clear()

    def _time_framework(
        self, trainer: Trainer, loader_startup: AbstractContextManager[Any]
    ) -> None:
        for module, name, attribute, line in _FRAMEWORK_METHODS:
            owner = class_of(trainer, module, name)
            if owner is not None:
                self._time(owner, attribute, self._recorder.span(line.value))
        for logger_class in {type(logger) for logger in trainer.loggers}:
            self._time(logger_class, "log_metrics", LoggerSpan(self._recorder))
        # What gives the batch of a loader without length ahead of its stage's first hook.
        for name in ("_DataFetcher", "_PrefetchDataFetcher"):
            fetcher = class_of(trainer, "loops.fetchers", name)
            if fetcher is not None and "__iter__" in vars(fetcher):
                self._time(fetcher, "__iter__", loader_startup)

    def _time(self, owner: type, attribute: str, context: AbstractContextManager[Any]) -> None:
        with suppress(TypeError):  # a version that has it otherwise: it goes untimed
            self._patches.time(owner, attribute, context)

    def _collectives(self) -> list[_Timed]:
        span = MainThreadSpan(self._recorder, Line.COLLECTIVES)
        return [
            (
                Target(dotted_name=f"torch.distributed.{name}", owner=distributed, attribute=name),
                span,
            )
            for name in COLLECTIVES
            if hasattr(distributed, name)
        ]

    def _metric_context(self, metric: Metric, attribute: str) -> AbstractContextManager[None]:
        for target in self._targets:
            is_of_metrics = target.attribute == attribute and _is_metric_method(target)
            if is_of_metrics and isinstance(metric, target.owner):
                return section(target.dotted_name)
        return MainThreadSpan(self._recorder, Line.METRICS)

    def _time_loaders(
        self, running_stage: Callable[[], Stage], loader_startup: AbstractContextManager[Any]
    ) -> None:
        """Record the workers of loaders, and charge their start and end to the loader.

        A torch that names what ends them otherwise leaves that untimed.
        """
        names = tuple(target.dotted_name for target in self._targets)

        def iterate(original: Callable[..., Any], loader: DataLoader[Any]) -> Any:
            with loader_startup, self._instrumentation.picklable():
                return start_iterating(
                    loader,
                    original,
                    recorder=self._recorder,
                    stage=running_stage,
                    operations=names,
                    failed=self._failed,
                )

        with suppress(TypeError):
            self._patches.listen(DataLoader, "__iter__", iterate, handed_to_listener)
        iterator_class = getattr(dataloader, "_MultiProcessingDataLoaderIter", None)
        if iterator_class is not None:
            self._time(iterator_class, "_shutdown_workers", loader_startup)


def _is_metric_method(target: Target) -> bool:
    return (
        isinstance(target.owner, type)
        and issubclass(target.owner, Metric)
        and target.attribute in METRIC_METHODS
    )
