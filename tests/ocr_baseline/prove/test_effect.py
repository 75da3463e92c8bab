"""Whether a setting took effect in a trial, by what the trial told and by its records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ocr_baseline.analysis.analyze import measure
from ocr_baseline.prove.effect import obstacle, told_in
from ocr_baseline.unchanged_script.settings import LoaderSettings, Settings, TrainerSettings
from tests.ocr_baseline.analysis.builders import loaded_run, with_environment

TRIAL = measure(
    with_environment(loaded_run(making_s=[0.1] * 20, main_s=0.1, workers=2), torch_num_threads=4)
)


def told(*what: str) -> dict[str, dict[str, Any]]:
    return {one: {"what": one, "why_not": None} for one in what}


def test_a_setting_that_the_records_confirm_took_effect() -> None:
    settings = Settings(train=LoaderSettings(num_workers=2))
    assert obstacle(settings, told("train.num_workers"), TRIAL) is None


@pytest.mark.parametrize(
    ("settings", "what", "why"),
    [
        (
            Settings(train=LoaderSettings(num_workers=4)),
            "train.num_workers",
            "train ran with 2 loader workers, not with 4",
        ),
        (
            Settings(validation=LoaderSettings(batch_size=8)),
            "validation.batch_size",
            "the trial has no validation",
        ),
        (
            Settings(trainer=TrainerSettings(torch_threads=1)),
            "trainer.torch_threads",
            "torch computed in 4 threads, not in 1",
        ),
    ],
)
def test_a_setting_that_the_records_contradict_is_told_whatever_the_trial_said(
    settings: Settings, what: str, why: str
) -> None:
    assert obstacle(settings, told(what), TRIAL) == why


def test_a_setting_that_the_trial_could_not_make_is_told_with_its_reason(tmp_path: Path) -> None:
    why = "its dataset is an IterableDataset"
    (tmp_path / "settings.json").write_text(
        json.dumps([{"what": "train.num_workers", "why_not": why}]), encoding="utf-8"
    )
    settings = Settings(train=LoaderSettings(num_workers=2))
    found = obstacle(settings, told_in(tmp_path), TRIAL)
    assert found == f"train.num_workers can't be set from outside: {why}"


def test_a_setting_of_which_the_trial_told_nothing_was_not_set(tmp_path: Path) -> None:
    found = obstacle(Settings(train=LoaderSettings(num_workers=2)), told_in(tmp_path), TRIAL)
    assert found == "train.num_workers wasn't set: the trial read no such loader"
