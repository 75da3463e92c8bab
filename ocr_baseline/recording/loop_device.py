"""The device that a loop of the user's own computes on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from ocr_baseline.recording.rank import Rank
    from ocr_baseline.recording.recording import Recording


def device_in_use(asked: torch.device | str | None) -> torch.device | None:
    """Return the device that was asked for, else the current CUDA device once CUDA is in use.

    None where there is neither; to ask does not begin the use of CUDA.
    """
    if "torch" not in sys.modules:
        return None
    import torch

    from ocr_baseline.recording.accelerator_memory import is_in_use

    with torch._C.DisableTorchFunction():  # a mode of the user's that sees torch's calls sees none
        if asked is not None and str(asked) != "cuda":
            return torch.device(asked)
        is_cuda_used = is_in_use(torch.device("cuda"))
        return torch.device("cuda", torch.cuda.current_device()) if is_cuda_used else None


def follow_device(device: torch.device, recording: Recording, rank: Rank) -> None:
    """Sample the device's memory, time it on its own clock where that can be, and name it."""
    identity: dict[str, Any] = {"accelerator": device.type}
    if device.type == "cuda":
        import torch

        from ocr_baseline.recording.accelerator_memory import AcceleratorProbe
        from ocr_baseline.recording.cuda_clock import device_timeline

        identity["accelerator_name"] = torch.cuda.get_device_name(device)
        recording.sample_accelerator(AcceleratorProbe(device))
        timeline = device_timeline(device) if device.index == torch.cuda.current_device() else None
        if timeline is not None:
            recording.recorder.follow(timeline)
        else:
            recording.recorder.operations.note(
                f"Time on {device} was not measured on its own clock, for it isn't the current "
                "CUDA device: torch.cuda.set_device makes it that."
            )
    if rank.is_zero:
        recording.describe({"environment": {"identity": identity}})
