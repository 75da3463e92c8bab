"""The functions of `torch.distributed` in which a rank waits for others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import distributed

from ocr_baseline.measure.operation_names import Target
from ocr_baseline.recording.main_thread_span import MainThreadSpan
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ocr_baseline.measure.recorder import Recorder

COLLECTIVES = (
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_gather_single",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "gather",
    "gather_object",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_single",
    "reduce_scatter_tensor",
    "scatter",
)
"""DDP's exchange of gradients is none of them: it runs in the backward pass, below Python."""


def timed_collectives(recorder: Recorder) -> list[tuple[Target, AbstractContextManager[Any]]]:
    """Return what to time on the line `collectives`, for `Instrumentation.time`."""
    span = MainThreadSpan(recorder, Line.COLLECTIVES)
    return [
        (Target(dotted_name=f"torch.distributed.{name}", owner=distributed, attribute=name), span)
        for name in COLLECTIVES
        if hasattr(distributed, name)
    ]
