"""How long the processor limit of a container held its processes, from the group's `cpu.stat`.

The kernel counts in periods (a tenth of a second, mostly). A group that has used its share of one
up stands still until the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.clocks import monotonic
from ocr_baseline.measure.container_limits import group_text
from ocr_baseline.vocabulary import SECONDS_PER_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr_baseline.measure.container_limits import ContainerLimits

MICROSECOND_S = 1e-6
USUAL_PERIOD_S = 0.1


class _Counters(NamedTuple):
    periods: int
    throttled: int
    throttled_s: float


class ThrottlingProbe:
    """Reads what the limit did since the probe was made."""

    def __init__(self, limits: ContainerLimits, clock_s: Callable[[], float] = monotonic) -> None:
        """Note the counters so far, where a limit was found."""
        self._group = limits.cpu_group
        self._cpus = limits.cpus
        self._clock_s = clock_s
        self._began_s = clock_s()
        self._began = self._read()

    def summary(self) -> dict[str, float]:
        """Return what is known: nothing without a limit, or where its counters are hidden.

        `cpu_limit_held_s` is how long the limit held processes of the container, at most: the
        kernel adds up what it took each processor, and within a throttled period it can't have
        held anything for longer than the period. `cpu_limit_held_share` is its share of the time.
        """
        now, passed_s = self._read(), self._clock_s() - self._began_s
        if self._cpus is None or self._began is None or now is None or passed_s <= 0:
            return {}
        throttled = now.throttled - self._began.throttled
        held_s = min(
            now.throttled_s - self._began.throttled_s, throttled * self._period_s(), passed_s
        )
        return {
            "cpu_limit_cores": self._cpus,
            "cpu_periods": float(now.periods - self._began.periods),
            "cpu_throttled_periods": float(throttled),
            "cpu_limit_held_s": max(0.0, held_s),
            "cpu_limit_held_share": max(0.0, held_s / passed_s),
        }

    def _read(self) -> _Counters | None:
        if self._group is None:
            return None
        fields = _fields(group_text(self._group / "cpu.stat"))
        throttled_s = _throttled_s(fields)
        if throttled_s is None or not {"nr_periods", "nr_throttled"} <= fields.keys():
            return None
        return _Counters(fields["nr_periods"], fields["nr_throttled"], throttled_s)

    def _period_s(self) -> float:
        if self._group is None:
            return USUAL_PERIOD_S
        of_version_2 = group_text(self._group / "cpu.max").partition(" ")[2]
        period_us = of_version_2 or group_text(self._group / "cpu.cfs_period_us")
        return int(period_us) * MICROSECOND_S if period_us.isdecimal() else USUAL_PERIOD_S


def _throttled_s(fields: dict[str, int]) -> float | None:
    """Return the time of both versions: microseconds in version 2, nanoseconds in version 1."""
    if "throttled_usec" in fields:
        return fields["throttled_usec"] * MICROSECOND_S
    if "throttled_time" in fields:
        return fields["throttled_time"] * SECONDS_PER_NS
    return None


def _fields(text: str) -> dict[str, int]:
    pairs = (line.partition(" ") for line in text.splitlines())
    return {name: int(value) for name, _, value in pairs if value.isdecimal()}
