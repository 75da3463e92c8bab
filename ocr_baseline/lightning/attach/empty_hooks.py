"""Which of a trainer's hooks have no body, and the context in which they run.

Most actions of a batch bracket hooks that nobody has overridden. A span around one costs more than
the hook.
"""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.attach.trainer_parts import callbacks_of
from ocr_baseline.measure.random_state import unchanged_random_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from lightning.pytorch import Callback, Trainer

    from ocr_baseline.lightning.attach.action_lines import Action


class Idle:
    """Does nothing before a block and nothing after it.

    Most of a batch's actions are in such a context. `"".format` is a function of C that takes
    whatever it is given and returns an empty text, which lets exceptions pass: methods written in
    Python, as those of `nullcontext` are, would take twice to thrice as long.
    """

    __slots__ = ()
    __enter__: Any = "".format
    __exit__: Any = "".format


IDLE: AbstractContextManager[Any] = Idle()
"""The context of an empty hook: a span costs more than the hook does."""


def _passes() -> None:
    pass


def _is_documented() -> None:
    """Nothing but this."""


_EMPTY_CODES = frozenset({_passes.__code__.co_code, _is_documented.__code__.co_code})
"""The instructions of a function that only returns a constant, with and without a docstring."""


class EmptyHooks:
    """Tells which of a trainer's actions bracket a hook that runs no code."""

    def __init__(self, trainer: Trainer) -> None:
        """Ask nothing yet."""
        self._trainer = trainer
        self._callbacks: list[Callback] = []
        self._state_keys: list[str] = []

    def holds(self, action: Action) -> bool:
        """Whether no object that an action can be of has a body for its hook."""
        owners = self._owners(action)
        return bool(owners) and all(_is_empty(owner, action.hook) for owner in owners)

    def _owners(self, action: Action) -> Sequence[Any]:
        if action.kind == "Callback":
            return [one for one, key in self._callbacks_and_keys() if key == action.owner]
        if action.kind == "Strategy":
            return [self._trainer.strategy]
        if action.kind == "LightningModule":
            return [self._trainer.lightning_module]
        return []

    def _callbacks_and_keys(self) -> Iterable[tuple[Callback, str]]:
        """Ask each callback for its key once: that is the user's code, which may draw numbers."""
        callbacks = callbacks_of(self._trainer)
        if list(map(id, callbacks)) != list(map(id, self._callbacks)):
            with unchanged_random_state():
                self._state_keys = [callback.state_key for callback in callbacks]
            self._callbacks = list(callbacks)
        return zip(self._callbacks, self._state_keys, strict=True)


def _is_empty(owner: object, hook: str) -> bool:
    """Tell by the hook's own code, without calling anything of the owner's."""
    function = inspect.getattr_static(owner, hook, None)
    # By its own type: a mock says that it is of any class.
    return type(function) is FunctionType and function.__code__.co_code in _EMPTY_CODES
