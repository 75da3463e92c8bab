"""The names under which timings and memory are logged, and how a logged key is recognised.

A key is `[PREFIX-]performance/[STAGE_]NAME[_step|_epoch][/dataloader_idx_N]`; docs/metrics.md
explains each part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from ocr.performance.stages import REPORTED_STAGES, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

Fork = Literal["", "_epoch", "_step"]

STATISTIC_FIELDS: Mapping[str, str] = {
    "epoch_time": "epoch_time_s",
    "num_batches": "num_batches",
    "num_samples": "num_samples",
    "batch_mean": "batch_mean_s",
    "batch_median": "batch_median_s",
    "batch_p95": "batch_p95_s",
    "batch_p99": "batch_p99_s",
    "batch_std": "batch_std_s",
}
"""Names that always bear a stage, and the field of `ReportedEpoch` that holds the value."""

MEMORY_NAMES = ("gpu_memory_gb", "gpu_memory_reserved_gb", "cpu_memory_percent")
"""Names that may bear a stage; a "gb" is 2**30 bytes, as `torch.cuda` counts / 1024**3 are."""

FORKS: tuple[Fork, ...] = ("", "_epoch", "_step")
"""Lightning's forks of a key, the one to trust first: an epoch's value before a step's."""

_STAGES: Mapping[str, Stage] = {stage.metric_prefix: stage for stage in REPORTED_STAGES}
_KEY = re.compile(
    r"(?:(?P<prefix>.+)[-/])?performance[/.]"
    rf"(?:(?:(?P<stage>{'|'.join(_STAGES)})_)?(?P<memory>{'|'.join(MEMORY_NAMES)})"
    rf"|(?P<timed_stage>{'|'.join(_STAGES)})_(?P<statistic>{'|'.join(STATISTIC_FIELDS)}))"
    r"(?P<fork>_step|_epoch)?"
    r"(?:/dataloader_idx_(?P<dataloader>\d+))?"
)


@dataclass(frozen=True, kw_only=True)
class MetricKey:
    """One recognised key: what it says, of which stage and dataloader, under which prefix."""

    name: str
    stage: Stage | None
    dataloader_idx: int | None
    fork: Fork
    prefix: str

    @property
    def canonical(self) -> str:
        """The key without its logger's prefix and Lightning's fork, as reports name it."""
        stage = f"{self.stage.metric_prefix}_" if self.stage else ""
        suffix = "" if self.dataloader_idx is None else f"/dataloader_idx_{self.dataloader_idx}"
        return f"performance/{stage}{self.name}{suffix}"

    @property
    def is_memory(self) -> bool:
        """Whether the key holds a memory value and no statistic of batches."""
        return self.name in MEMORY_NAMES


@lru_cache(maxsize=4096)
def parse_key(key: str) -> MetricKey | None:
    """Return what a logged key means, or None when it is none of the table's."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    stage = found["timed_stage"] or found["stage"]
    return MetricKey(
        name=found["statistic"] or found["memory"],
        stage=_STAGES[stage] if stage else None,
        dataloader_idx=int(found["dataloader"]) if found["dataloader"] else None,
        fork=next(fork for fork in FORKS if fork == (found["fork"] or "")),
        prefix=found["prefix"] or "",
    )
