"""Counters are read from real files, laid out as the kernel lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_baseline.measure.container_limits import ContainerLimits, container_limits
from ocr_baseline.measure.cpu_throttling import ThrottlingProbe

VERSION_2 = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "150000 100000"}
VERSION_1 = {
    "proc/self/cgroup": "3:cpu:/box",
    "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "150000",
    "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000",
}


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def lay_out(root: Path, files: dict[str, str]) -> ContainerLimits:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return container_limits(root)


def summary_of(
    root: Path, group: dict[str, str], stat: str, before: str, after: str
) -> dict[str, float]:
    """What a probe tells of 10 s in which the counters went from one text to another."""
    limits, clock = lay_out(root, {**group, stat: before}), Clock()
    probe = ThrottlingProbe(limits, clock)
    lay_out(root, {stat: after})
    clock.now_s = 10.0
    return probe.summary()


@pytest.mark.parametrize(
    ("group", "stat", "time", "factor"),
    [
        (VERSION_2, "sys/fs/cgroup/cpu.stat", "usage_usec 9\nthrottled_usec", 1),
        (VERSION_1, "sys/fs/cgroup/cpu/box/cpu.stat", "throttled_time", 1000),
    ],
    ids=["version 2", "version 1"],
)
def test_what_the_limit_took_since_the_probe_was_made_is_told(
    tmp_path: Path, group: dict[str, str], stat: str, time: str, factor: int
) -> None:
    summary = summary_of(
        tmp_path,
        group,
        stat,
        f"nr_periods 100\nnr_throttled 20\n{time} {5_000_000 * factor}",
        f"nr_periods 200\nnr_throttled 50\n{time} {7_500_000 * factor}",
    )
    assert summary == pytest.approx(
        {
            "cpu_limit_cores": 1.5,
            "cpu_periods": 100,
            "cpu_throttled_periods": 30,
            "cpu_limit_held_s": 2.5,
            "cpu_limit_held_share": 0.25,
        }
    )


def test_a_throttled_period_holds_nothing_for_longer_than_it_lasts(tmp_path: Path) -> None:
    """The kernel adds up what each of many processors lost."""
    summary = summary_of(
        tmp_path,
        VERSION_2,
        "sys/fs/cgroup/cpu.stat",
        "nr_periods 0\nnr_throttled 0\nthrottled_usec 0",
        "nr_periods 100\nnr_throttled 30\nthrottled_usec 64000000",
    )
    assert summary["cpu_limit_held_s"] == pytest.approx(3.0)


def test_a_limit_that_held_nothing_is_a_measured_0(tmp_path: Path) -> None:
    stat = "nr_periods 7\nnr_throttled 2\nthrottled_usec 5"
    summary = summary_of(tmp_path, VERSION_2, "sys/fs/cgroup/cpu.stat", stat, stat)
    assert summary["cpu_limit_held_s"] == 0.0
    assert summary["cpu_throttled_periods"] == 0.0


@pytest.mark.parametrize(
    "files",
    [
        {"sys/fs/cgroup/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_usec 0"},
        VERSION_2,
        {**VERSION_2, "sys/fs/cgroup/cpu.stat": "usage_usec 12\nuser_usec 3"},
        {
            **VERSION_2,
            "sys/fs/cgroup/cpu.stat": "nr_periods \u00b2\nnr_throttled\nthrottled_usec x",
        },
    ],
    ids=["no limit", "no counters", "none of throttling", "damaged"],
)
def test_nothing_is_told_where_nothing_was_counted(tmp_path: Path, files: dict[str, str]) -> None:
    clock = Clock()
    probe = ThrottlingProbe(lay_out(tmp_path, files), clock)
    clock.now_s = 10.0
    assert probe.summary() == {}
