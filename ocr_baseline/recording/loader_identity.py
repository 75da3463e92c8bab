"""What of a data loader's set-up decides whether two runs compare."""

from __future__ import annotations

from typing import Any

from torch.utils.data import DataLoader

from ocr_baseline.recording.plain_values import known_values


def loader_identity(loader: Any) -> dict[str, Any]:
    """Return a loader's batch size and workers, nothing where it isn't a plain DataLoader."""
    if not issubclass(type(loader), DataLoader):  # `isinstance` asks for its `__class__`
        return {}
    return known_values(
        {
            "batch_size": lambda: loader.batch_size,
            "num_workers": lambda: loader.num_workers,
            "prefetch_factor": lambda: loader.prefetch_factor,
            "persistent_workers": lambda: loader.persistent_workers,
        }
    )
