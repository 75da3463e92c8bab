"""What the trainer's own actions do not show, timed where it happens.

That is: loggers, `self.log`, manual optimization, the start and end of loaders and their workers,
and torchmetrics.
"""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING, Any

from lightning.pytorch import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.loops import fetchers
from torch import distributed
from torch.utils.data import DataLoader, dataloader
from torchmetrics import Metric

from ocr_baseline.measure.collate import time_held_collate
from ocr_baseline.measure.instrument import Instrumentation, wrap_callable
from ocr_baseline.measure.operation_names import Target, resolve
from ocr_baseline.measure.sections import section
from ocr_baseline.measure.workers import WorkerStart
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from lightning.pytorch import Trainer

    from ocr_baseline.measure.recorder import Recorder

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
    (LightningModule, "log", Line.LOGGING),
    (LightningModule, "manual_backward", Line.BACKWARD),
    (LightningOptimizer, "step", Line.OPTIMIZER),
)


class MainThreadSpan:
    """A span that does nothing in other threads, for methods that any thread may call."""

    def __init__(self, recorder: Recorder, line: Line) -> None:
        """Charge blocks of the thread that makes this object to `line`."""
        self._span = recorder.span(line.value)
        self._thread = threading.get_ident()

    def __enter__(self) -> None:
        if threading.get_ident() == self._thread:
            self._span.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        if threading.get_ident() == self._thread:
            self._span.__exit__(*exc_info)


class LoggerSpan(MainThreadSpan):
    """The span of a logger; the time that it takes for the profiler's own metrics stays ours."""

    def __init__(self, recorder: Recorder) -> None:
        """Charge blocks to `logging`, those inside the profiler's own hooks to `profiler`."""
        super().__init__(recorder, Line.LOGGING)
        self._timeline = recorder.timeline
        self._own_index = recorder.timeline.index(Line.PROFILER.value)
        self._is_entered: list[bool] = []

    def __enter__(self) -> None:
        if threading.get_ident() == self._thread:
            is_ours = self._timeline.current == self._own_index
            self._is_entered.append(not is_ours)
            if not is_ours:
                self._span.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        if threading.get_ident() == self._thread and self._is_entered.pop():
            self._span.__exit__(*exc_info)


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

    def apply(
        self,
        trainer: Trainer,
        *,
        running_stage: Callable[[], Stage],
        loader_startup: AbstractContextManager[Any],
    ) -> None:
        """Replace the framework's methods and the operations."""
        timed: list[_Timed] = [
            (_method(owner, attribute), MainThreadSpan(self._recorder, line))
            for owner, attribute, line in _FRAMEWORK_METHODS
        ]
        for logger_class in {type(logger) for logger in trainer.loggers}:
            if inspect.getattr_static(logger_class, "log_metrics", None) is not None:
                timed.append((_method(logger_class, "log_metrics"), LoggerSpan(self._recorder)))
        if trainer.world_size > 1:
            timed += self._collectives()
        timed += [
            (target, section(target.dotted_name))
            for target in self._targets
            if not _is_metric_method(target)
        ]
        timed += [(fetcher, loader_startup) for fetcher in _prefetching()]
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
        self._instrumentation.undo()
        self._timed_metrics.clear()

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
        recorder = self._recorder
        main_thread = threading.get_ident()
        names = tuple(target.dotted_name for target in self._targets)
        original = DataLoader.__iter__

        def iterate(loader: DataLoader[Any]) -> Iterator[Any]:
            if threading.get_ident() != main_thread:
                return original(loader)
            with loader_startup, self._instrumentation.picklable():
                return _iterate_with_records(
                    loader,
                    original,
                    WorkerStart(
                        recorder.folder,
                        rank=recorder.rank,
                        stage=_recorded_stage(running_stage(), loader),
                        origin_ns=recorder.started_ns,
                        operations=names,
                        prefetch_factor=loader.prefetch_factor,
                        user_init=loader.worker_init_fn,
                    ),
                )

        self._instrumentation.replace(DataLoader, "__iter__", iterate)
        self._time_worker_shutdown(main_thread, loader_startup)

    def _time_worker_shutdown(
        self, main_thread: int, loader_startup: AbstractContextManager[Any]
    ) -> None:
        """Charge the end of workers to the loader; a torch that names it otherwise goes untimed."""
        iterator_class = getattr(dataloader, "_MultiProcessingDataLoaderIter", None)
        original = getattr(iterator_class, "_shutdown_workers", None)
        if original is None:
            return

        def shut_down(iterator: Any) -> None:
            if threading.get_ident() != main_thread:
                original(iterator)
                return
            with loader_startup:
                original(iterator)

        self._instrumentation.replace(iterator_class, "_shutdown_workers", shut_down)


def _method(owner: type, attribute: str) -> Target:
    return Target(dotted_name=f"{owner.__qualname__}.{attribute}", owner=owner, attribute=attribute)


def _prefetching() -> Iterator[Target]:
    """Find what gives the batch of a loader without length ahead of its stage's first hook.

    A Lightning that names its fetchers otherwise leaves that one batch to the line `other`.
    """
    for name in ("_DataFetcher", "_PrefetchDataFetcher"):
        fetcher = getattr(fetchers, name, None)
        if fetcher is not None and "__iter__" in vars(fetcher):
            yield _method(fetcher, "__iter__")


def _recorded_stage(stage: Stage, loader: DataLoader[Any]) -> Stage:
    """Return whose workers these are: those of the sanity check that stay go on to validate."""
    if stage is Stage.SANITY_CHECK and loader.persistent_workers:
        return Stage.VALIDATION
    return stage


def _iterate_with_records(
    loader: DataLoader[Any],
    original: Callable[[DataLoader[Any]], Iterator[Any]],
    worker_start: WorkerStart,
) -> Iterator[Any]:
    if loader.num_workers == 0:
        return original(loader)
    loader.worker_init_fn = worker_start
    try:
        return original(loader)
    finally:
        loader.worker_init_fn = worker_start.user_init


def _is_metric_method(target: Target) -> bool:
    return (
        isinstance(target.owner, type)
        and issubclass(target.owner, Metric)
        and target.attribute in METRIC_METHODS
    )
