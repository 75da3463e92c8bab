from __future__ import annotations

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import JsonValue, missing_entry
from tests.ocr_baseline.analysis.builders import evidence, finding, findings, run

RULE = "cpu-limit"
HELD: dict[str, JsonValue] = {
    "cpu_limit_cores": 1.5,
    "cpu_periods": 100.0,
    "cpu_throttled_periods": 30.0,
    "cpu_limit_held_s": 2.5,
    "cpu_limit_held_share": 0.25,
}


def test_a_limit_that_held_the_run_is_told_with_its_seconds_and_limits_the_trust() -> None:
    found = finding(run(environment_volatile=HELD), RULE)
    assert found.title == "The container's CPU limit held the run for up to 2.5 s"
    assert found.limits_trust
    assert found.estimated_saving_s is None
    assert evidence(found) == {
        "environment.volatile.cpu_limit_held_s": 2.5,
        "environment.volatile.cpu_limit_held_share": 0.25,
        "environment.volatile.cpu_throttled_periods": 30,
        "environment.volatile.cpu_limit_cores": 1.5,
    }


@pytest.mark.parametrize(
    ("share", "severity"),
    [(0.009, None), (0.01, "low"), (0.05, "medium"), (0.199, "medium"), (0.2, "high")],
)
def test_it_is_judged_by_the_share_of_the_time(share: float, severity: str | None) -> None:
    held = {**HELD, "cpu_limit_held_share": share}
    found = findings(run(environment_volatile=held), RULE)
    assert [one.severity for one in found] == ([] if severity is None else [severity])


def test_a_limit_that_was_not_seen_is_not_measured() -> None:
    document = analyze(run())
    entry = missing_entry(document.missing, "environment.volatile.cpu_limit_held_s")
    assert entry is not None
    assert entry.reason == "not_collected"
    assert [one for one in document.findings if one.id == RULE] == []


def test_a_limit_that_held_nothing_is_measured() -> None:
    held = {**HELD, "cpu_limit_held_s": 0.0, "cpu_limit_held_share": 0.0}
    document = analyze(run(environment_volatile=held))
    assert missing_entry(document.missing, "environment.volatile.cpu_limit_held_s") is None
    assert document.findings == []
