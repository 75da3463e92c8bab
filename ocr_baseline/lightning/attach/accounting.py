"""Turns a trainer's actions into the stages and spans of a recorder.

Lightning brackets every hook, fetch, step and checkpoint by actions of `trainer.profiler`. Its
hooks decide which loop runs. The trainer's state doesn't, because a loop of the same trainer may
run inside another: the trials of a learning-rate or batch-size search, or a validation that a
callback runs.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.attach.action_lines import (
    CLOSED_BY_STRATEGY,
    ENDS_BATCH,
    ENDS_BATCHES_OF,
    OPENED_BY,
    Action,
    is_fetch,
    is_of_trainer,
    line_of,
    parse,
)
from ocr_baseline.lightning.attach.empty_hooks import IDLE, Idle
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ocr_baseline.measure.batches import EpochRow
    from ocr_baseline.measure.open_stages import OpenStages
    from ocr_baseline.measure.recorder import Recorder

Context = AbstractContextManager[Any]

_EVALUATIONS = frozenset({Stage.VALIDATION, Stage.SANITY_CHECK})


class _Kind(Enum):
    """Whose a loop inside a hook is."""

    TRIAL = "of a search that puts the callbacks aside: part of the set-up"
    UNKNOWN = "maybe another trainer's: its time stays in the line around it"
    OWN = "one that a callback of this run started: a stage like any other"


@dataclass(frozen=True, kw_only=True)
class _InnerLoop:
    """A loop that runs inside a hook; it is over when the timeline's stack is below `depth`."""

    kind: _Kind
    depth: int
    stage: Stage
    swap: Context | None = None


class Accounting:
    """The accounts of one trainer's run.

    Attributes:
        contexts: The context of each action met so far, always this one dict; empty while a loop
            runs inside a hook, so that each action asks `context_of`.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        callback_lines: Mapping[str, str],
        does_nothing: Callable[[Action], bool],
        running_stage: Callable[[], Stage],
        is_aside: Callable[[], bool],
        current_epoch: Callable[[], int],
        on_epoch_closed: Callable[[Stage, EpochRow], None],
        on_exception: Callable[[BaseException], None],
        loader_startup: Context,
        failed: Callable[[Exception], None],
    ) -> None:
        """Account to `recorder`.

        Args:
            recorder: Where stages, epochs and spans go.
            callback_lines: The line of each callback's hooks, by its state key.
            does_nothing: Whether an action brackets a hook that nobody has given a body.
            running_stage: The trainer's stage, by its own state.
            is_aside: Whether the trainer runs without the callback.
            current_epoch: The trainer's epoch.
            on_epoch_closed: Called with each epoch that ends.
            on_exception: Called with what a hook raises that was told of an exception: it is the
                last hook that the trainer calls.
            loader_startup: What the hooks that make loaders run inside.
            failed: Called with what goes wrong here; it ends the measuring.
        """
        self._recorder = recorder
        self._timeline = recorder.timeline
        self._callback_lines = callback_lines
        self._does_nothing = does_nothing
        self._running_stage = running_stage
        self._is_aside = is_aside
        self._current_epoch = current_epoch
        self._on_epoch_closed = on_epoch_closed
        self._on_exception = on_exception
        self._loader_startup = loader_startup
        self._failed = failed
        self._known: dict[str, Context] = {}
        self.contexts: dict[str, Context] = {}
        self._inner: _InnerLoop | None = None
        self._is_epoch_begun = False
        self._profiled: list[str] = []
        self._fetch = _Fetch(recorder, failed)
        self._batch_end = _BatchEnd(recorder.stages)
        self._known_fetches: dict[str, Context] = {}
        self._fetches: dict[str, Context] = self._known_fetches

    # -- actions ---------------------------------------------------------------------------

    def context_of(self, action_name: str) -> Context | None:
        """Return the context of an action of the trainer; None for one of the user's own."""
        self._leave_inner_loop_that_ended()
        if not is_of_trainer(action_name):
            return None
        if self._inner is not None and self._inner.kind is _Kind.UNKNOWN:
            return IDLE
        known = self._known.get(action_name)
        if known is None:
            known = self._known[action_name] = self._made(action_name)
        if self._inner is None:
            self.contexts[action_name] = known
        return known

    def started(self, action_name: str) -> None:
        """An action began by `profiler.start`: a fetch, or one of the user's own."""
        if action_name in self._fetches:
            self._recorder.begin_fetch()
        elif self._inner is not None or action_name not in self._known:
            self._began(action_name)

    def _began(self, action_name: str) -> None:
        context = self.context_of(action_name)
        if context is None:
            if action_name not in self._profiled:
                self._recorder.operations[action_name].enter()
        elif is_fetch(action_name):
            context.__enter__()

    def stopped(self, action_name: str) -> None:
        """An action ended by `profiler.stop`."""
        if action_name in self._fetches:
            self._recorder.end_fetch()
        elif self._inner is not None or action_name not in self._known:
            self._ended(action_name)

    def _ended(self, action_name: str) -> None:
        context = self.context_of(action_name)
        if context is None:
            if action_name not in self._profiled:
                self._recorder.operations[action_name].exit()
        elif is_fetch(action_name):
            context.__exit__(None, None, None)

    def enter_own(self, action_name: str) -> None:
        """An action of the user's own began by `profiler.profile`: a section of that name."""
        self._profiled.append(action_name)
        self._recorder.operations[action_name].enter()

    def exit_own(self, action_name: str) -> None:
        """It ended."""
        self._recorder.operations[action_name].exit()
        self._profiled.remove(action_name)

    def _made(self, action_name: str) -> Context:
        if is_fetch(action_name):
            self._known_fetches[action_name] = self._fetch
            return self._fetch
        action = parse(action_name)
        if action.hook.endswith("_dataloader"):
            return self._loader_startup
        before, after = self._boundaries(action)
        line = line_of(action, self._callback_lines)
        if action.hook == "on_exception":
            return _ExceptionHook(self._recorder.span(line), self._on_exception, self._failed)
        ends_batch = action.hook in ENDS_BATCH
        if ends_batch and line == Line.PROFILER.value:
            return self._batch_end  # our own hook: a span would take longer than it does
        if (ends_batch or not before) and not after and self._does_nothing(action):
            return IDLE
        span = self._recorder.span(line)
        return _Boundary(span, before, after, self._failed) if before or after else span

    def _boundaries(
        self, action: Action
    ) -> tuple[Callable[[], None] | None, Callable[[], None] | None]:
        """Return what to do before and after an action at a border of a stage or an epoch."""
        before: Callable[[], None] | None = None
        after: Callable[[], None] | None = None
        if action.hook in OPENED_BY:
            opened = OPENED_BY[action.hook]
            before = lambda: self._open(opened)  # noqa: E731 - binds the stage
        elif action.hook == "on_train_epoch_start":
            before = self._begin_train_epoch
        elif action.hook in ENDS_BATCH:
            before = self._recorder.finish_batch
        elif action.hook in ENDS_BATCHES_OF:
            ended = ENDS_BATCHES_OF[action.hook]
            before = lambda: self._end_batches(ended)  # noqa: E731 - binds the stage
        if action.kind == "Strategy" and action.hook in CLOSED_BY_STRATEGY:
            closed = CLOSED_BY_STRATEGY[action.hook]
            after = lambda: self._close(closed)  # noqa: E731 - binds the stage
        return before, after

    # -- loops -----------------------------------------------------------------------------

    def loop_began(self, stage: Stage) -> None:
        """The callback's own hook says that its trainer's loop begins."""
        self._leave_inner_loop_that_ended()
        inner = self._inner
        if inner is None or inner.kind is not _Kind.UNKNOWN:
            return
        self._leave_inner_loop()
        stage = self._told_apart(stage)
        if not self._recorder.stages.is_open(stage):
            self._recorder.open_stage(stage, self._current_epoch())
            self._enter_inner_loop(_Kind.OWN, stage)

    def takes_batches(self) -> bool:
        """Whether a batch that the callback is told of belongs to the open stage."""
        if self._inner is not None:
            self._leave_inner_loop_that_ended()
        return self._inner is None or self._inner.kind is _Kind.OWN

    def _told_apart(self, stage: Stage) -> Stage:
        is_sanity = stage is Stage.VALIDATION and self._running_stage() is Stage.SANITY_CHECK
        return Stage.SANITY_CHECK if is_sanity else stage

    def _open(self, stage: Stage) -> None:
        """Open a stage at its loop's first hook; a loop inside a hook may be another's."""
        if self._inner is not None:
            return
        is_inside_a_hook = self._timeline.current != 0
        stage = self._told_apart(stage)
        if self._is_aside():
            if is_inside_a_hook:
                self._enter_inner_loop(_Kind.TRIAL, stage)
        elif is_inside_a_hook:
            self._enter_inner_loop(_Kind.UNKNOWN, stage)
        elif not self._recorder.stages.is_open(stage):
            self._recorder.open_stage(stage, self._current_epoch())
            self._is_epoch_begun = stage is not Stage.TRAIN

    def _close(self, stage: Stage) -> None:
        """Close a stage after its loop's last hook."""
        inner = self._inner
        if inner is not None:
            is_same_loop = len(self._timeline.stack) == inner.depth and inner.kind is _Kind.OWN
            if is_same_loop and self._is_of(stage, inner.stage):
                self._leave_inner_loop()
        elif not self._is_aside() and self._is_of(stage, self._recorder.stage):
            self._close_open_stage()

    @staticmethod
    def _is_of(hook_stage: Stage, stage: Stage) -> bool:
        return stage is hook_stage or (hook_stage is Stage.VALIDATION and stage in _EVALUATIONS)

    def _close_open_stage(self) -> None:
        stage = self._recorder.stage
        self._closed(stage, self._recorder.close_stage(stage))

    def _enter_inner_loop(self, kind: _Kind, stage: Stage) -> None:
        swap = None
        if kind is _Kind.TRIAL:
            swap = self._recorder.stages.swapped(Stage.SETUP)
            swap.__enter__()
        depth = len(self._timeline.stack)
        self._inner = _InnerLoop(kind=kind, depth=depth, stage=stage, swap=swap)
        self.contexts.clear()
        self._fetches = {}

    def _leave_inner_loop_that_ended(self) -> None:
        if self._inner is not None and len(self._timeline.stack) < self._inner.depth:
            self._leave_inner_loop()

    def _leave_inner_loop(self) -> None:
        inner, self._inner = self._inner, None
        self._fetches = self._known_fetches
        if inner is None:
            return
        if inner.swap is not None:
            inner.swap.__exit__(None, None, None)
        elif inner.kind is _Kind.OWN and self._recorder.stage is inner.stage:
            self._close_open_stage()

    # -- epochs ----------------------------------------------------------------------------

    def _begin_train_epoch(self) -> None:
        """Begin an epoch at the first of its start hooks."""
        if self._inner is None and self._recorder.stage is Stage.TRAIN and not self._is_epoch_begun:
            self._is_epoch_begun = True
            self._closed(Stage.TRAIN, self._recorder.end_epoch())
            self._recorder.begin_epoch(self._current_epoch())

    def _end_batches(self, stage: Stage) -> None:
        """Close the epoch's last batch at the first of its end hooks."""
        if not self.takes_batches() or not self._is_of(stage, self._recorder.stage):
            return
        if stage is Stage.TRAIN:
            self._is_epoch_begun = False
        self._recorder.end_batches()

    def _closed(self, stage: Stage, row: EpochRow | None) -> None:
        if row is not None:
            with self._recorder.span(Line.PROFILER.value):
                self._on_epoch_closed(stage, row)


class _Boundary:
    """A span at a border: something to do before it, after it, or both."""

    def __init__(
        self,
        span: Context,
        before: Callable[[], None] | None,
        after: Callable[[], None] | None,
        failed: Callable[[Exception], None],
    ) -> None:
        self._span = span
        self._before = before
        self._after = after
        self._failed = failed

    def __enter__(self) -> None:
        try:
            if self._before is not None:
                self._before()
            self._span.__enter__()
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._failed(error)

    def __exit__(self, *exc_info: Any) -> None:
        try:
            self._span.__exit__(*exc_info)
            if self._after is not None:
                self._after()
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._failed(error)


class _ExceptionHook:
    """A hook that is told of an exception: where it raises one, nobody else is told of either."""

    def __init__(
        self,
        span: Context,
        on_exception: Callable[[BaseException], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._span = span
        self._on_exception = on_exception
        self._failed = failed

    def __enter__(self) -> None:
        self._span.__enter__()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            self._span.__exit__(None, None, None)
            if error is not None:
                self._on_exception(error)
        except Exception as failure:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._failed(failure)


class _Fetch:
    """The trainer asks its loader for a batch."""

    def __init__(self, recorder: Recorder, failed: Callable[[Exception], None]) -> None:
        self._recorder = recorder
        self._failed = failed

    def __enter__(self) -> None:
        try:
            self._recorder.begin_fetch()
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._failed(error)

    def __exit__(self, *exc_info: Any) -> None:
        try:
            self._recorder.end_fetch()
        except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
            self._failed(error)


class _BatchEnd(Idle):
    """The trainer tells of the end of a batch's step; the batch counts, as `finish_batch` says."""

    __slots__ = ("_stages",)

    def __init__(self, stages: OpenStages) -> None:
        self._stages = stages

    def __enter__(self) -> None:
        self._stages.current.is_batch_done = True
