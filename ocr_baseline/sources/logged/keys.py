"""The names under which timings and memory are logged, and how a logged key is recognised.

A key is `[PREFIX-]performance/[STAGE_]NAME[_step|_epoch][/dataloader_idx_N]`; docs/metrics.md
explains each part. A user's own names come before the table's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from ocr_baseline.errors import SettingError
from ocr_baseline.vocabulary import REPORTED_STAGES, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    KeyParser = Callable[[str], "MetricKey | None"]

Fork = Literal["", "_epoch", "_step"]

STATISTICS: Mapping[str, str] = {
    "epoch_time": "total_s",
    "num_batches": "batches",
    "num_samples": "samples",
    "batch_mean": "batch_time_s.mean",
    "batch_median": "batch_time_s.median",
    "batch_p95": "batch_time_s.p95",
    "batch_p99": "batch_time_s.p99",
    "batch_std": "batch_time_s.std",
}
"""Names that always bear a stage, and where a phase of the baseline shows the value."""

MEMORY: Mapping[str, str] = {
    "gpu_memory_gb": "memory.accelerator.allocated_peak_bytes",
    "gpu_memory_reserved_gb": "memory.accelerator.reserved_peak_bytes",
    "cpu_memory_percent": "memory.system_memory_percent",
}
"""Names that may bear a stage, and where the baseline shows them.

A "gb" is 2**30 bytes: whoever logs it divides `torch.cuda`'s bytes by 1024**3.
"""

FORKS: tuple[Fork, ...] = ("", "_epoch", "_step")
"""Lightning's forks of a key, the one to trust first: an epoch's value before a step's."""

_STAGES: Mapping[str, Stage] = {stage.metric_prefix: stage for stage in REPORTED_STAGES}
_KEY = re.compile(
    r"(?:(?P<prefix>.+)[-/])?performance[/.]"
    rf"(?:(?:(?P<stage>{'|'.join(_STAGES)})_)?(?P<memory>{'|'.join(MEMORY)})"
    rf"|(?P<timed_stage>{'|'.join(_STAGES)})_(?P<statistic>{'|'.join(STATISTICS)}))"
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

    @cached_property  # asked for at every value, and a key is one object for all of its values
    def canonical(self) -> str:
        """The key without its logger's prefix and Lightning's fork, as reports name it."""
        stage = f"{self.stage.metric_prefix}_" if self.stage else ""
        suffix = "" if self.dataloader_idx is None else f"/dataloader_idx_{self.dataloader_idx}"
        return f"performance/{stage}{self.name}{suffix}"

    @property
    def document_path(self) -> str:
        """Where a baseline shows the value, as its `missing` entries name it."""
        if self.stage is None or self.is_memory:
            return MEMORY[self.name]
        of_loader = "" if self.dataloader_idx is None else f"dataloader_{self.dataloader_idx}."
        return f"phases.{self.stage.value}.{of_loader}{STATISTICS[self.name]}"

    @property
    def is_memory(self) -> bool:
        """Whether the key holds a memory value and no statistic of batches."""
        return self.name in MEMORY


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


class Keys:
    """The keys that count as metrics: the table's and a user's own names for them.

    It is built where the user's names come in and handed on from there.

    Attributes:
        own_names: The user's own key to a key of the table, for a reader in another process.
        parse: What a logged key means, None for one that is no metric.

    Raises:
        SettingError: A value of `own_names` is no key of the table.
    """

    def __init__(self, own_names: Mapping[str, str] | None = None) -> None:
        self.own_names = dict(own_names or {})
        self.parse: KeyParser = key_parser(self.own_names)


def key_parser(own_names: Mapping[str, str] | None = None) -> KeyParser:
    """Return the function that tells what a logged key means.

    Args:
        own_names: A user's own key to a key of the table, as in `{"my/val_seconds":
            "performance/val_epoch_time"}`. Lightning's forks and dataloader suffixes of an own key
            are understood too.

    Raises:
        SettingError: A value is no key of the table.
    """
    if not own_names:
        return parse_key
    own = {name: _table_key(name, key) for name, key in own_names.items()}

    @lru_cache(maxsize=4096)
    def parse(key: str) -> MetricKey | None:
        return parse_key(_renamed(key, own))

    return parse


_SUFFIXES = re.compile(r"(?P<name>.+?)(?P<fork>_step|_epoch)?(?P<loader>/dataloader_idx_\d+)?")


def _renamed(key: str, own: Mapping[str, str]) -> str:
    if key in own:
        return own[key]
    found = _SUFFIXES.fullmatch(key)
    if found is None:
        return key
    fork, loader = found["fork"] or "", found["loader"] or ""
    if found["name"] + fork in own:  # a name of the user's that itself ends as a fork does
        return own[found["name"] + fork] + loader
    return own[found["name"]] + fork + loader if found["name"] in own else key


def _table_key(name: str, key: str) -> str:
    known = parse_key(key)
    if known is None or known.canonical != key:
        statistics = ", ".join(STATISTICS)
        raise SettingError(
            f"metric_names: {name!r} stands for {key!r}, which isn't a known key: give "
            f"performance/STAGE_NAME with STAGE one of {', '.join(_STAGES)} and NAME one of "
            f"{statistics}, or performance/NAME with NAME one of {', '.join(MEMORY)}"
        )
    return key
