"""The sweeper behind `experiment=baseline_repeats`: fresh processes instead of a sweep.

Hydra imports this module whenever a Hydra program in the environment starts, so it imports nothing
that Hydra hasn't already imported.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.config_store import ConfigStore
from hydra.errors import CompactHydraException
from hydra.plugins.sweeper import Sweeper

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

ConfigStore.instance().store(
    group="hydra/sweeper",
    name="baseline_repeats",
    node={"_target_": "hydra_plugins.ocr_baseline_plugin.repeats.RepeatsSweeper"},
    provider="ocr-baseline",
)


class RepeatsSweeper(Sweeper):
    """Runs the configuration `repeats.runs` times, alternating with `repeats.variant` if given."""

    def __init__(self) -> None:
        """Start without a configuration; `setup` brings it."""
        self.config: DictConfig | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep the composed configuration; each run composes its own."""
        self.config = config

    def sweep(self, arguments: list[str]) -> None:
        """Run everything, then print how the runs differ and where they are.

        Args:
            arguments: The task's overrides from the command line.

        Raises:
            CompactHydraException: When too few runs end well; Hydra prints its message alone.
        """
        from ocr_baseline.errors import BaselineError
        from ocr_baseline.hydra import repeats
        from ocr_baseline.trials.patience import DEFAULT_WAIT_S

        if self.config is None:
            raise RuntimeError("setup() wasn't called")
        settings = self.config.repeats
        folder = Path(self.config.hydra.sweep.dir).absolute()
        try:
            arms = repeats.configurations(
                repeats.application_command(), arguments, list(settings.variant or [])
            )
            report = repeats.repeat(
                arms,
                settings.runs,
                folder,
                warm_ups=settings.warmup_runs,
                wait_s=settings.get("wait_s", DEFAULT_WAIT_S),
            )
        except BaselineError as error:
            raise CompactHydraException(str(error)) from error
        sys.stdout.write(report)
