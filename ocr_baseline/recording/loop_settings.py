"""What a recorded loop was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.recording.default_folder import default_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from ocr_baseline.recording.config_policy import ConfigPolicy


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """The arguments of `record`, which describes them."""

    output_dir: str | Path | None
    operations: tuple[str, ...]
    name: str | None
    config: Mapping[str, object] | None
    config_policy: ConfigPolicy
    device: torch.device | str | None
    profile_memory: bool
    sampling_hz: float
    summary: bool

    def folder(self) -> Path:
        """Return the report's folder, absolute: the loop may change its working folder."""
        if self.output_dir is not None:
            return Path(self.output_dir).absolute()
        return default_folder(Path.cwd()).absolute()
