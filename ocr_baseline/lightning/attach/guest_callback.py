"""What the two callbacks share: they are callbacks of whichever of Lightning's packages runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import Callback
from typing_extensions import Self

from ocr_baseline.lightning.attach.framework import loaded_classes

if TYPE_CHECKING:
    from pathlib import Path

    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.lightning.profiler import PerformanceProfilerCallback


class GuestCallback(Callback):
    """A callback of `lightning.pytorch`, and of `pytorch_lightning` where that is loaded.

    Up to version 2.5 a Trainer of `pytorch_lightning` takes no callbacks but those of its own
    class.
    """

    measures_the_run = True
    output_dir: str | Path | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make one, after the packages that are loaded by now have been joined."""
        for base in loaded_classes("callbacks.callback", "Callback"):
            if not issubclass(GuestCallback, base):
                GuestCallback.__bases__ += (base,)
        return super().__new__(cls)

    def ended_aside(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        exception: BaseException,
        profiler: PerformanceProfilerCallback,
    ) -> None:
        """An exception has ended the run while a tuner had put the callbacks aside.

        The trainer tells only the tuner's own callbacks of it.
        """
