"""What the trainer does between the beginning of `fit` and the callbacks' `setup`.

`prepare_data`, the datamodule's `setup` and the hooks of earlier callbacks run before a callback
is told of anything. The one word that it gets is that Lightning gives each callback the module's
`log` as a run begins; a Lightning that didn't would leave this time undivided.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from ocr_baseline.clocks import perf_counter_ns
from ocr_baseline.lightning.attach.action_lines import Action, callback_lines, line_of, parse
from ocr_baseline.lightning.attach.patches import Patches
from ocr_baseline.lightning.attach.profiler_actions import ProfilerListener
from ocr_baseline.lightning.attach.trainer_parts import (
    callbacks_of,
    has_plain_profiler,
    profiler_of,
)
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning.pytorch import Trainer

    from ocr_baseline.records.format import StartJson

_NOTHING: AbstractContextManager[Any] = nullcontext()


class BeforeSetup:
    """Listens to one trainer's profiler until the callback's `setup`."""

    def __init__(self) -> None:
        """Note that the callback is made now."""
        self.contexts: dict[str, AbstractContextManager[Any]] = {}
        self._made_ns = perf_counter_ns()
        self._fit_ns: int | None = None
        self._actions_ns: dict[str, int] = {}
        self._callback_lines: Mapping[str, str] = {}
        self._patches: Patches | None = None

    def fit_began(self, trainer: Trainer) -> None:
        """A run of the trainer begins in this thread."""
        self.end()
        self._fit_ns = perf_counter_ns()
        self._actions_ns = {}
        self._callback_lines = callback_lines(callbacks_of(trainer))
        self._patches = Patches()
        profiler = profiler_of(trainer)
        listener = ProfilerListener(self, lambda error: self.end())
        listener.listen_to(profiler, is_alone=has_plain_profiler(trainer))
        with suppress(TypeError):  # a profiler that can't be listened to: the time isn't divided
            listener.attach(type(profiler), self._patches)

    def end(self) -> None:
        """Listen no more; harmless when repeated."""
        patches, self._patches = self._patches, None
        if patches is not None:
            patches.undo()

    def told(self, recorded_ns: int) -> StartJson:
        """Return what is known, as of the start of a recorder that has recorded `recorded_ns`."""
        began_ns = perf_counter_ns() - recorded_ns
        fit_ns = self._fit_ns
        return {
            "callback_ns": max(0, began_ns - self._made_ns),
            "fit_ns": None if fit_ns is None else max(0, began_ns - fit_ns),
            "actions_ns": self._actions_ns,
        }

    # -- what a listener to the profiler asks ----------------------------------------------

    def context_of(self, action_name: str) -> AbstractContextManager[Any]:
        """Return the context of an action of the trainer, or of one of the user's own."""
        action = parse(action_name)
        if not action.kind:
            return _NOTHING
        return _Timed(self._actions_ns, self._name_of(action))

    def _name_of(self, action: Action) -> str:
        if action.kind == "LightningDataModule" and action.hook == "setup":
            return "datamodule_setup"
        return action.hook if action.kind != "Callback" else line_of(action, self._callback_lines)

    def started(self, action_name: str) -> None:
        """Nothing: no batch is fetched yet."""

    def stopped(self, action_name: str) -> None:
        """Nothing: no batch is fetched yet."""

    def enter_own(self, action_name: str) -> None:
        """Nothing: the recorder, which keeps the user's own actions, isn't there yet."""

    def exit_own(self, action_name: str) -> None:
        """Nothing: see `enter_own`."""


class _Timed:
    """Adds the time of its block to one of some totals."""

    def __init__(self, totals_ns: dict[str, int], name: str) -> None:
        self._totals_ns = totals_ns
        self._name = name
        self._began_ns = 0

    def __enter__(self) -> None:
        with suppress_failures():  # as below
            self._began_ns = perf_counter_ns()

    def __exit__(self, *exc_info: object) -> None:
        with suppress_failures():  # a part of the start isn't divided, and no more
            took_ns = perf_counter_ns() - self._began_ns
            self._totals_ns[self._name] = self._totals_ns.get(self._name, 0) + took_ns
