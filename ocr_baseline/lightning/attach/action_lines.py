"""Which line of the breakdown each action of the trainer belongs to.

Lightning names its actions `[Kind]Owner.hook` around every hook that it calls, and a few more by
a plain word. The kind and the hook are Lightning's own vocabulary; the owner of a callback hook is
looked up among the trainer's callbacks and told by its type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.lightning.attach.framework import loaded_classes
from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning.pytorch.callbacks import Callback

_ACTION = re.compile(r"^\[(?P<kind>\w+)\](?P<owner>.*)\.(?P<hook>\w+)$", re.DOTALL)
_FETCH = re.compile(r"^\[\w+\]\.\w+_next$")

CALLBACK_LINE_PREFIX = f"{Line.CALLBACKS.value}:"
MODULE_HOOK_LINE_PREFIX = f"{Line.MODULE_HOOKS.value}:"

OPENED_BY = {
    "on_train_start": Stage.TRAIN,
    "on_validation_model_eval": Stage.VALIDATION,
    "on_validation_start": Stage.VALIDATION,
    "on_test_model_eval": Stage.TEST,
    "on_test_start": Stage.TEST,
    "on_predict_model_eval": Stage.PREDICT,
    "on_predict_start": Stage.PREDICT,
}
"""The first hook of each stage; validation has two, of which some versions call only one."""

CLOSED_BY_STRATEGY = {
    "on_train_end": Stage.TRAIN,
    "on_validation_end": Stage.VALIDATION,
    "on_test_end": Stage.TEST,
    "on_predict_end": Stage.PREDICT,
}
"""The strategy's hook comes after those of the callbacks and the module: it ends the stage."""

ENDS_BATCHES_OF = {
    "on_train_epoch_end": Stage.TRAIN,
    "on_validation_epoch_end": Stage.VALIDATION,
    "on_test_epoch_end": Stage.TEST,
    "on_predict_epoch_end": Stage.PREDICT,
}
"""The first hook after the last batch of a pass."""

ENDS_BATCH = frozenset(
    {"on_train_batch_end", "on_validation_batch_end", "on_test_batch_end", "on_predict_batch_end"}
)
"""The hooks after a batch's step: a batch that none of them follows was never done."""

_STRATEGY_LINES = {
    "batch_to_device": Line.TRANSFER,
    "training_step": Line.FORWARD,
    "validation_step": Line.FORWARD,
    "test_step": Line.FORWARD,
    "predict_step": Line.FORWARD,
    "backward": Line.BACKWARD,
}
_MODULE_LINES = {
    "on_before_batch_transfer": Line.TRANSFER,
    "transfer_batch_to_device": Line.TRANSFER,
    "on_after_batch_transfer": Line.TRANSFER,
    "optimizer_step": Line.OPTIMIZER,
    "optimizer_zero_grad": Line.OPTIMIZER,
    "configure_gradient_clipping": Line.OPTIMIZER,
    "lr_scheduler_step": Line.OPTIMIZER,
    "on_validation_model_zero_grad": Line.OPTIMIZER,
    "on_save_checkpoint": Line.CHECKPOINT,
    "on_load_checkpoint": Line.CHECKPOINT,
}
_SET_UP_HOOKS = frozenset(
    {
        "prepare_data",
        "setup",
        "configure_callbacks",
        "configure_model",
        "configure_sharded_model",
        "configure_optimizers",
        "on_fit_start",
    }
)
"""Hooks of the module that run in the set-up alone, where each is a line of its own."""

_PLAIN_LINES = {
    "save_checkpoint": Line.CHECKPOINT,
    "optimizer_step": Line.OPTIMIZER,
    "run_training_epoch": Line.OTHER,
    "run_training_batch": Line.OTHER,
}
_KINDS = frozenset({"Callback", "LightningModule", "LightningDataModule", "Strategy"})
_MODULE_STATE_HOOKS = re.compile(r"^on_(validation|test|predict)_model_(eval|train)$")


class Action(NamedTuple):
    """An action's name, taken apart; `kind` and `hook` are empty for a plain word."""

    kind: str
    owner: str
    hook: str


def parse(name: str) -> Action:
    """Take an action's name apart."""
    match = _ACTION.match(name)
    return Action(*match.group("kind", "owner", "hook")) if match else Action("", name, "")


def is_fetch(name: str) -> bool:
    """Whether an action is a loop's request for its next batch, as Lightning names it."""
    return _FETCH.match(name) is not None


def is_of_trainer(name: str) -> bool:
    """Whether an action is the trainer's; any other name is the user's own."""
    return name in _PLAIN_LINES or is_fetch(name) or parse(name).kind in _KINDS


def line_of(action: Action, callback_lines: Mapping[str, str]) -> str:
    """Return the line of an action; `callback_lines` maps a callback's state key to its line."""
    if action.kind == "Callback":
        if action.hook in {"on_save_checkpoint", "on_load_checkpoint"}:
            return Line.CHECKPOINT.value
        return callback_lines.get(action.owner, Line.CALLBACKS.value)
    if action.kind == "Strategy":
        return _STRATEGY_LINES.get(action.hook, Line.OTHER).value
    if action.kind in {"LightningModule", "LightningDataModule"}:
        if action.hook.endswith("_dataloader"):
            return Line.LOADER_STARTUP.value
        if _MODULE_STATE_HOOKS.match(action.hook):
            return Line.OTHER.value
        if action.hook in _SET_UP_HOOKS:
            return MODULE_HOOK_LINE_PREFIX + action.hook
        return _MODULE_LINES.get(action.hook, Line.MODULE_HOOKS).value
    return _PLAIN_LINES.get(action.owner, Line.OTHER).value


@unchanged_random_state()
def callback_lines(callbacks: Sequence[Callback]) -> dict[str, str]:
    """Return the line of each callback's hooks, by its state key."""
    return {callback.state_key: _line_of_callback(callback) for callback in callbacks}


def _line_of_callback(callback: Callback) -> str:
    if getattr(type(callback), "measures_the_run", False):  # a callback may answer for any name
        return Line.PROFILER.value
    if isinstance(callback, loaded_classes("callbacks.checkpoint", "Checkpoint")):
        return Line.CHECKPOINT.value
    return CALLBACK_LINE_PREFIX + type(callback).__name__
