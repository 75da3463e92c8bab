"""The Hydra job that is running, if one is: its output folder and its composed configuration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

MAX_CONFIG_BYTES = 128 * 1024
"""Of a composed configuration that is read as a training starts; YAML takes a second for it."""


def hydra_output_folder() -> Path | None:
    """Return the output folder of the Hydra job that is running, or None outside of one."""
    if "hydra" not in sys.modules:
        return None
    from hydra.core.hydra_config import HydraConfig

    return Path(HydraConfig.get().runtime.output_dir) if HydraConfig.initialized() else None


def hydra_working_folder() -> Path | None:
    """Return the folder that the Hydra job was started in, or None outside of one."""
    if hydra_output_folder() is None:
        return None
    from hydra.core.hydra_config import HydraConfig

    return Path(HydraConfig.get().runtime.cwd)


def number_in_sweep() -> int | None:
    """Return the number of the Hydra job that is running, None where it is no part of a sweep."""
    if hydra_output_folder() is None:
        return None
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    settings = HydraConfig.get()
    return int(settings.job.num) if settings.mode == RunMode.MULTIRUN else None


def hydra_config() -> dict[str, Any] | None:
    """Return the job's composed configuration, interpolations unresolved.

    Returns:
        None outside of a job, and where the file is larger than `MAX_CONFIG_BYTES`.
    """
    folder = hydra_output_folder()
    if folder is None:
        return None
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    path = folder / (HydraConfig.get().output_subdir or ".hydra") / "config.yaml"
    if not path.is_file() or path.stat().st_size > MAX_CONFIG_BYTES:
        return None
    composed = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    return (
        {str(key): value for key, value in composed.items()} if isinstance(composed, dict) else None
    )
