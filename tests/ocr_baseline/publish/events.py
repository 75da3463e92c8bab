"""What TensorBoard's own reader finds in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def _read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder)).Reload()


def scalars_in(folder: Path) -> dict[str, float]:
    """Return the last value of each scalar."""
    events = _read(folder)
    return {tag: events.Scalars(tag)[-1].value for tag in events.Tags()["scalars"]}


def text_in(folder: Path, tag: str) -> str:
    """Return the last text of a tag."""
    (value,) = _read(folder).Tensors(f"{tag}/text_summary")[-1].tensor_proto.string_val
    return str(value.decode("utf-8"))
