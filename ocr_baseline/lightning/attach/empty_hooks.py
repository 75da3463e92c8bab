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
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from lightning.pytorch import Trainer

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


@unchanged_random_state()
def does_nothing(trainer: Trainer, action: Action) -> bool:
    """Whether an action brackets a hook that runs no code, for every object that it can be of."""
    owners = _owners(trainer, action)
    return bool(owners) and all(_is_empty(owner, action.hook) for owner in owners)


def _owners(trainer: Trainer, action: Action) -> Sequence[Any]:
    if action.kind == "Callback":
        return [one for one in callbacks_of(trainer) if one.state_key == action.owner]
    if action.kind == "Strategy":
        return [trainer.strategy]
    if action.kind == "LightningModule":
        return [trainer.lightning_module]
    return []


def _is_empty(owner: object, hook: str) -> bool:
    """Tell by the hook's own code, without calling anything of the owner's."""
    function = inspect.getattr_static(owner, hook, None)
    return isinstance(function, FunctionType) and function.__code__.co_code in _EMPTY_CODES
