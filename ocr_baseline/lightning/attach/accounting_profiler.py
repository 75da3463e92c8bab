"""The trainer's profiler while a run is recorded: turns its actions into stages and spans."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from lightning.pytorch.profilers import PassThroughProfiler, Profiler
from typing_extensions import override

from ocr_baseline.lightning.attach.action_lines import (
    CLOSED_BY_STRATEGY,
    EPOCH_END_HOOKS,
    OPENED_BY,
    Action,
    line_of,
    parse,
)
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ocr_baseline.measure.batches import EpochRow
    from ocr_baseline.measure.recorder import Recorder

Context = AbstractContextManager[Any]


class AccountingProfiler(Profiler):
    """Stands at `trainer.profiler` and hands every action on to the user's own profiler.

    `profile` returns one reusable context for each action, which costs less than the generator
    that Lightning's pass-through profiler makes for each call.
    """

    def __init__(
        self,
        recorder: Recorder,
        inner: Profiler,
        *,
        callback_lines: Mapping[str, str],
        running_stage: Callable[[], Stage],
        current_epoch: Callable[[], int],
        on_epoch_closed: Callable[[Stage, EpochRow], None],
    ) -> None:
        """Account the actions to `recorder`; `inner` sees them too unless it does nothing."""
        super().__init__()
        self.inner = inner
        self._recorder = recorder
        self._callback_lines = callback_lines
        self._running_stage = running_stage
        self._current_epoch = current_epoch
        self._on_epoch_closed = on_epoch_closed
        self._is_epoch_begun = False
        self._contexts = _Contexts(self._context_of)
        self._has_inner = not isinstance(inner, PassThroughProfiler)
        if not self._has_inner:
            # The dictionary's own look-up in place of the method: one Python call less an action.
            self.profile = self._contexts.__getitem__  # type: ignore[assignment,method-assign]  # see above

    @override
    def profile(self, action_name: str) -> Context:  # type: ignore[override]  # reusable contexts
        return _Pair(self._contexts[action_name], self.inner.profile(action_name))

    @override
    def start(self, action_name: str) -> None:
        if self._has_inner:
            self.inner.start(action_name)
        self._contexts[action_name].__enter__()

    @override
    def stop(self, action_name: str) -> None:
        self._contexts[action_name].__exit__(None, None, None)
        if self._has_inner:
            self.inner.stop(action_name)

    @override
    def summary(self) -> str:
        return self.inner.summary()

    @override
    def describe(self) -> None:
        self.inner.describe()

    @override
    def teardown(self, stage: str | None) -> None:
        self.inner.teardown(stage)

    def loader_startup(self) -> Context:
        """Return a context that charges a loader's start to the stage that it is for."""
        return _LoaderStartup(self._recorder, self._running_stage)

    # -- what the contexts call ------------------------------------------------------------

    def open_stage(self, stage: Stage) -> None:
        """Open a stage at its first hook, unless it is open."""
        running = self._running_stage()
        stage = running if stage is Stage.VALIDATION else stage
        if running is not Stage.SETUP and not self._recorder.stages.is_open(stage):
            self._recorder.open_stage(stage, self._current_epoch())
            self._is_epoch_begun = stage is not Stage.TRAIN

    def close_stage(self, stage: Stage) -> None:
        """Close a stage after its last hook."""
        stage = self._recorder.stage if stage is Stage.VALIDATION else stage
        self._closed(stage, self._recorder.close_stage(stage))

    def begin_train_epoch(self) -> None:
        """Begin an epoch at the first of its start hooks."""
        if not self._is_epoch_begun and self._recorder.stage is Stage.TRAIN:
            self._is_epoch_begun = True
            self._closed(Stage.TRAIN, self._recorder.end_epoch())
            self._recorder.begin_epoch(self._current_epoch())

    def end_batches(self) -> None:
        """Close the epoch's last batch at the first of its end hooks."""
        self._is_epoch_begun = False
        self._recorder.end_batches()

    def _closed(self, stage: Stage, row: EpochRow | None) -> None:
        if row is not None:
            with self._recorder.span(Line.PROFILER.value):
                self._on_epoch_closed(stage, row)

    # -- contexts --------------------------------------------------------------------------

    def _context_of(self, action_name: str) -> Context:
        if action_name.endswith("_next"):
            return _Fetch(self._recorder)
        action = parse(action_name)
        if action.hook.endswith("_dataloader"):
            return self.loader_startup()
        span = self._recorder.span(line_of(action, self._callback_lines))
        before, after = self._boundaries(action)
        return _Boundary(span, before, after) if before or after else span

    def _boundaries(
        self, action: Action
    ) -> tuple[Callable[[], None] | None, Callable[[], None] | None]:
        """Return what to do before and after an action at a border of a stage or an epoch."""
        before: Callable[[], None] | None = None
        after: Callable[[], None] | None = None
        if action.hook in OPENED_BY:
            opened = OPENED_BY[action.hook]
            before = lambda: self.open_stage(opened)  # noqa: E731 - binds the stage
        elif action.hook == "on_train_epoch_start":
            before = self.begin_train_epoch
        elif action.hook in EPOCH_END_HOOKS:
            before = self.end_batches
        if action.kind == "Strategy" and action.hook in CLOSED_BY_STRATEGY:
            closed = CLOSED_BY_STRATEGY[action.hook]
            after = lambda: self.close_stage(closed)  # noqa: E731 - binds the stage
        return before, after


class _Contexts(dict[str, Context]):
    """The context of each action, made at its first use."""

    def __init__(self, make: Callable[[str], Context]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, action_name: str) -> Context:
        context = self[action_name] = self._make(action_name)
        return context


class _Pair:
    """Our context around the user's own profiler's."""

    def __init__(self, outer: Context, inner: Context) -> None:
        self._outer = outer
        self._inner = inner

    def __enter__(self) -> None:
        self._outer.__enter__()
        self._inner.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        self._inner.__exit__(*exc_info)
        self._outer.__exit__(*exc_info)


class _Boundary:
    """A span at a border: something to do before it, after it, or both."""

    def __init__(
        self,
        span: Context,
        before: Callable[[], None] | None,
        after: Callable[[], None] | None,
    ) -> None:
        self._span = span
        self._before = before
        self._after = after

    def __enter__(self) -> None:
        if self._before is not None:
            self._before()
        self._span.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        self._span.__exit__(*exc_info)
        if self._after is not None:
            self._after()


class _Fetch:
    """The trainer asks its loader for a batch."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __enter__(self) -> None:
        self._recorder.begin_fetch()

    def __exit__(self, *exc_info: Any) -> None:
        self._recorder.end_fetch()


class _LoaderStartup:
    """A loader is made or begins to iterate, maybe before its stage's first hook."""

    def __init__(self, recorder: Recorder, running_stage: Callable[[], Stage]) -> None:
        self._recorder = recorder
        self._running_stage = running_stage
        self._span = recorder.span(Line.LOADER_STARTUP.value)
        self._swaps: list[Context] = []

    def __enter__(self) -> None:
        swap = self._recorder.stages.swapped(self._running_stage())
        swap.__enter__()
        self._swaps.append(swap)
        self._span.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        self._span.__exit__(*exc_info)
        self._swaps.pop().__exit__(*exc_info)
        self._recorder.start_loader()
