"""Fingerprints, and what of a config is work."""

from __future__ import annotations

from pydantic import JsonValue

from ocr_baseline.comparison.identity import (
    differences,
    fingerprint,
    workload_config,
    workload_hash,
)
from ocr_baseline.model.document import Workload
from tests.ocr_baseline.comparison.measured_runs import CONFIG, IDENTITY, run


def test_the_fingerprint_depends_on_the_identity_alone() -> None:
    first = run(0, volatile={"hostname": "a", "load_avg_1min": 0.1})
    second = run(1, volatile={"hostname": "b", "load_avg_1min": 9.0})
    assert fingerprint(first.environment.identity) == fingerprint(second.environment.identity)
    assert fingerprint({**IDENTITY, "torch": "9"}) != fingerprint(IDENTITY)


def test_the_fingerprint_ignores_order_and_what_is_unknown() -> None:
    turned = dict(reversed(list(IDENTITY.items())))
    assert fingerprint({**turned, "accelerator_name": None}) == fingerprint(IDENTITY)


def test_where_a_run_writes_is_no_work() -> None:
    named: dict[str, JsonValue] = {
        **CONFIG,
        "task_name": "b",
        "seed": 7,
        "paths": {"output_dir": "/tmp/x"},  # noqa: S108 - a text, no file is made
        "callbacks": {
            "model_checkpoint": {"dirpath": "x"},
            "ocr_baseline_profiler": {"log_interval": 5},
        },
        "logger": {"csv": {"save_dir": "x", "name": "y"}},
    }
    assert workload_config(named).keys() == workload_config(CONFIG).keys()
    assert workload_hash(run(0)) == workload_hash(run(1, config=named))


def test_configs_that_were_left_out_are_told_apart_by_their_hashes() -> None:
    known = run(0, workload=Workload(config=CONFIG, config_hash="aa"))
    same, other = (run(1, workload=Workload(config_hash=text)) for text in ("aa", "bb"))
    unknown = run(1, workload=Workload())
    assert not differences([known], [same])
    assert not differences([known], [unknown])
    (found,) = differences([known], [other])
    assert (found.area, found.field, found.forbids) == ("config", "config_hash", False)


def test_what_a_run_does_is_work() -> None:
    bigger: dict[str, JsonValue] = {
        **CONFIG,
        "data": {"batch_size": 8, "num_workers": 1, "seed": 3},
    }
    assert workload_hash(run(0)) != workload_hash(run(1, config=bigger))
