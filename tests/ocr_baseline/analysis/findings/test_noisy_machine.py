from __future__ import annotations

import pytest

from ocr_baseline.model.run import JsonValue, Run
from tests.ocr_baseline.analysis.builders import evidence, finding, findings, run

RULE = "noisy-machine"


def on_machine(cpu_count: JsonValue = 4, **volatile: JsonValue) -> Run:
    return run(environment_identity={"cpu_count": cpu_count}, environment_volatile=volatile)


@pytest.mark.parametrize(
    ("load", "severity"), [(1.9, None), (2.0, "low"), (3.9, "low"), (4.0, "medium")]
)
def test_load_is_judged_against_the_cores(load: float, severity: str | None) -> None:
    found = findings(on_machine(load_avg_1min=load), RULE)
    assert [one.severity for one in found] == ([] if severity is None else [severity])


def test_the_evidence_is_load_and_cores_and_there_is_no_saving() -> None:
    found = finding(on_machine(load_avg_1min=6.5), RULE)
    assert evidence(found) == {
        "environment.volatile.load_avg_1min": 6.5,
        "environment.identity.cpu_count": 4,
    }
    assert found.estimated_saving_s is None


def test_in_a_container_load_is_judged_against_the_cores_of_the_machine() -> None:
    assert findings(on_machine(cpu_count=2, machine_cpu_count=64, load_avg_1min=6.5), RULE) == []
    found = finding(on_machine(cpu_count=2, machine_cpu_count=8, load_avg_1min=6.5), RULE)
    assert evidence(found) == {
        "environment.volatile.load_avg_1min": 6.5,
        "environment.volatile.machine_cpu_count": 8,
    }


@pytest.mark.parametrize("cpu_count", [None, 0, "four", True])
def test_load_without_a_number_of_cores_is_not_judged(cpu_count: JsonValue) -> None:
    assert findings(on_machine(cpu_count=cpu_count, load_avg_1min=99.0), RULE) == []


def test_a_load_that_was_not_read_is_not_judged() -> None:
    assert findings(on_machine(load_avg_1min=None), RULE) == []


def test_time_stolen_by_the_host_and_a_slower_clock_are_signals_of_their_own() -> None:
    found = findings(on_machine(cpu_steal_share=0.02, cpu_frequency_drop_share=0.25), RULE)
    assert {one.id: one.severity for one in found} == {
        "noisy-machine:cpu_steal_share": "low",
        "noisy-machine:cpu_frequency_drop_share": "medium",
    }
