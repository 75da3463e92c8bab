"""Warns when `callbacks=baseline_report` costs a run callbacks that the application chose.

That override keeps the application's `callbacks/default` and replaces any other choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

if TYPE_CHECKING:
    from collections.abc import Sequence

REPLACING = "callbacks=baseline_report"
ADDING = "+ocr_baseline=report"


def lost_callbacks_warning(config: DictConfig) -> str | None:
    """Return a sentence with the lost callbacks and what to write instead; None if none are lost.

    To find out, the same command is composed again with `ADDING` instead of `REPLACING`. If that
    fails, the result is None.

    Args:
        config: The job's configuration, including the key `hydra`.
    """
    overrides = [*config.hydra.overrides.hydra, *config.hydra.overrides.task]
    if REPLACING not in overrides or not GlobalHydra.instance().is_initialized():
        return None
    try:
        kept = _composed(config, [ADDING if each == REPLACING else each for each in overrides])
    except (HydraException, OmegaConfBaseException):
        return None
    lost = [name for name in _callback_names(kept) if name not in _callback_names(config)]
    if not lost:
        return None
    return (
        f"{REPLACING} replaces callbacks={kept.hydra.runtime.choices.callbacks}, so this run lacks "
        f"{', '.join(lost)}. To keep the application's callbacks, write {ADDING} instead."
    )


def _composed(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    return (
        GlobalHydra.instance()
        .config_loader()
        .load_configuration(
            config_name=config.hydra.job.config_name,
            overrides=list(overrides),
            run_mode=RunMode.RUN,
        )
    )


def _callback_names(config: DictConfig) -> list[str]:
    entries = OmegaConf.select(config, "callbacks")
    if not isinstance(entries, DictConfig):
        return []
    return [str(name) for name, entry in entries.items() if isinstance(entry, DictConfig)]
