"""The two callbacks as they are added to a Trainer that doesn't name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ocr_baseline.lightning.attach.trainer_parts import callbacks_of
from ocr_baseline.lightning.profiler import PerformanceProfilerCallback
from ocr_baseline.lightning.report import BaselineReportCallback

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer


class AddedProfiler(PerformanceProfilerCallback):
    """A profiler that makes way for one that the script has itself."""

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if any(_is_scripts_own(one, PerformanceProfilerCallback) for one in callbacks_of(trainer)):
            self.enabled = False
        super().setup(trainer, pl_module, stage)


class AddedReport(BaselineReportCallback):
    """A report that makes way for one that the script has itself."""

    _makes_way = False

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._makes_way = any(
            _is_scripts_own(one, BaselineReportCallback) for one in callbacks_of(trainer)
        )
        super().setup(trainer, pl_module, stage)

    @override
    def _report(self, *arguments: Any, **options: Any) -> None:
        if not self._makes_way:
            super()._report(*arguments, **options)


def _is_scripts_own(callback: object, kind: type[object]) -> bool:
    return (
        isinstance(callback, kind)
        and not isinstance(callback, (AddedProfiler, AddedReport))
        and getattr(callback, "enabled", True)
    )
