from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from ocr_baseline.errors import BaselineError
from ocr_baseline.model.run import Run, RunInfo
from ocr_baseline.reports.registry import SPEEDSCOPE
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.analysis.sampled_stacks import FIT, samples

FRAME = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "file": {"type": "string"},
        "line": {"type": "number"},
        "col": {"type": "number"},
    },
    "required": ["name"],
}
SAMPLED_PROFILE = {
    "type": "object",
    "properties": {
        "type": {"const": "sampled"},
        "name": {"type": "string"},
        "unit": {
            "enum": ["bytes", "microseconds", "milliseconds", "nanoseconds", "none", "seconds"]
        },
        "startValue": {"type": "number"},
        "endValue": {"type": "number"},
        "samples": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        "weights": {"type": "array", "items": {"type": "number"}},
    },
    "required": ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
}
# What speedscope's file-format-schema.json says of sampled profiles.
SCHEMA = {
    "type": "object",
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "shared": {
            "type": "object",
            "properties": {"frames": {"type": "array", "items": FRAME}},
            "required": ["frames"],
        },
        "profiles": {"type": "array", "items": SAMPLED_PROFILE},
        "name": {"type": "string"},
        "activeProfileIndex": {"type": "number"},
        "exporter": {"type": "string"},
    },
    "required": ["$schema", "shared", "profiles"],
}


def exported(*, name: str | None = "tiny") -> dict[str, Any]:
    sampled = (
        samples({"forward": {f"{FIT} user:step": 3, f"{FIT} user:step user:draw": 5}}),
        samples({"fetch": {"worker:_worker_loop user:read": 4}}, process="worker"),
        samples({"forward": {f"{FIT} user:step": 2}}, which=Stage.VALIDATION),
    )
    run = Run(info=RunInfo(source="recorder", name=name), stack_samples=sampled)
    content: dict[str, Any] = json.loads(SPEEDSCOPE(run))
    return content


def test_the_file_is_as_speedscopes_format_has_it() -> None:
    Draft7Validator(SCHEMA).validate(exported())
    Draft7Validator(SCHEMA).validate(exported(name=None))


def test_each_stage_and_kind_of_process_is_a_profile_in_seconds() -> None:
    profiles = exported()["profiles"]
    assert [profile["name"] for profile in profiles] == [
        "train, main",
        "train, worker",
        "validation, main",
    ]
    assert [profile["endValue"] for profile in profiles] == pytest.approx([0.08, 0.04, 0.02])
    for profile in profiles:
        assert sum(profile["weights"]) == pytest.approx(profile["endValue"])
        assert len(profile["samples"]) == len(profile["weights"])


def test_below_the_root_stand_the_lines_and_below_them_the_functions() -> None:
    content = exported()
    names = [frame["name"] for frame in content["shared"]["frames"]]
    stacks = [[names[one] for one in stack] for stack in content["profiles"][0]["samples"]]
    trainer = ["<module>", "main", "Trainer.fit"]
    assert ["forward", *trainer, "step", "draw"] in stacks
    assert {"name": "draw", "file": "~/project/train.py", "line": 4} in (
        content["shared"]["frames"]
    )


def test_a_run_without_samples_says_so() -> None:
    with pytest.raises(BaselineError, match="no call stacks were sampled in this run"):
        SPEEDSCOPE(Run(info=RunInfo(source="csv")))
