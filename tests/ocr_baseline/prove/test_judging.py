"""Who leads, who is out of the race, what is proved, and the lines to paste."""

from __future__ import annotations

from typing import Any

import pytest

from ocr_baseline.prove.candidates import Candidate, Saving, name_of
from ocr_baseline.prove.judging import Tried, is_clearly_worse, leader_of
from ocr_baseline.prove.paste import lines_to_paste
from ocr_baseline.prove.proof import proof_of
from ocr_baseline.prove.report import proof_text
from ocr_baseline.unchanged_script.settings import (
    Limits,
    LoaderSettings,
    Settings,
    TrainerSettings,
)


def tried(*times_s: float, workers: int | None = None, **fields: Any) -> Tried:
    candidate = None
    if workers is not None:
        settings = Settings(
            train=LoaderSettings(num_workers=workers, persistent_workers=True),
        )
        candidate = Candidate(
            name=name_of(settings),
            settings=settings,
            phase="train",
            why="replay of the loader",
            predicted=Saving(4.0, 3.0, 5.0),
        )
    return Tried(candidate, phases_s=[{"train": one} for one in times_s], **fields)


def test_what_took_longer_in_both_of_its_trials_is_out() -> None:
    leader = tried(5.0, 5.1, workers=2)
    assert is_clearly_worse(tried(5.5, 5.6, workers=1), leader)
    assert not is_clearly_worse(tried(5.3, 5.6, workers=1), leader)


def test_a_setting_without_effect_never_leads() -> None:
    idle = tried(1.0, 1.0, workers=1, why_not="train ran with 0 loader workers, not with 1")
    base = tried(9.0, 9.1)
    assert leader_of([base, idle]) is base
    proof = proof_of([base, idle], [])
    assert proof.best is None
    assert proof.outcomes[0].measured is None
    assert proof.not_tried[0].why == "train ran with 0 loader workers, not with 1"
    assert proof.verdict == "none measured"


def test_a_setting_whose_trials_failed_is_told_with_the_reason_and_clears_no_run() -> None:
    failed = tried(workers=2, failures=["exited with status 1"] * 2)
    proof = proof_of([tried(9.0, 9.1), failed], [])
    assert proof.verdict == "none measured"
    text = proof_text(proof, Limits(max_epochs=1, train_batches=16), width=200, color=False)
    assert "its trials failed: it exited with status 1" in text
    assert "leave it" not in text


def test_the_best_setting_comes_as_lines_to_paste() -> None:
    proof = proof_of([tried(9.0, 9.1, 9.05), tried(5.0, 5.1, 5.2, workers=2)], [])
    assert proof.lines == ["DataLoader(..., num_workers=2, persistent_workers=True)  # training"]
    assert proof.saving is not None
    assert proof.saving.value_s == pytest.approx(3.95)
    assert proof.saving.low_s > 3.5
    assert proof.verdict == "better"


def test_the_best_setting_is_the_one_whose_measured_saving_is_the_largest() -> None:
    # One lucky trial makes a setting the fastest, and says less than three.
    lucky = tried(5.0, 5.5, 5.4, workers=2)
    steady = tried(5.1, 5.1, 5.1, workers=1)
    proof = proof_of([tried(9.0, 9.1, 9.05), lucky, steady], [])
    assert proof.best is steady.candidate
    assert proof.saving == proof.outcomes[1].measured


@pytest.mark.parametrize(("recorded_s", "is_told"), [(9.5, False), (40.0, True), (5.0, True)])
def test_trials_that_are_not_like_the_run_are_told(recorded_s: float, is_told: bool) -> None:
    proof = proof_of([tried(9.0, 9.1), tried(5.0, 5.1, workers=2)], [], recorded_s)
    text = proof_text(proof, Limits(max_epochs=1, train_batches=16), width=200, color=False)
    assert ("The run itself took" in text) is is_told


def test_a_difference_within_the_spread_recommends_nothing_and_leaves_the_question_open() -> None:
    proof = proof_of([tried(5.2, 4.8, 5.1), tried(5.0, 4.7, 5.2, workers=2)], [])
    assert proof.best is None
    assert proof.verdict == "inconclusive"


def test_a_setting_saves_no_more_than_the_run_takes_however_much_the_trials_vary() -> None:
    proof = proof_of([tried(3.0, 4.0, 80.0), tried(3.5, 4.5, 9.0, workers=2)], [])
    measured = proof.outcomes[0].measured
    assert measured is not None
    assert measured.value_s == pytest.approx(29.0 - 17.0 / 3)
    assert measured.low_s < 0
    assert measured.high_s == pytest.approx(29.0)


def test_settings_that_can_save_nothing_worth_a_headline_clear_the_run() -> None:
    proof = proof_of([tried(5.0, 5.01, 5.02), tried(5.01, 5.02, 5.03, workers=2)], [])
    assert proof.best is None
    assert proof.verdict == "none better"


def test_a_longer_interval_is_pasted_as_the_value_that_the_trial_set() -> None:
    settings = Settings(
        trainer=TrainerSettings(checkpoint_interval_times=10, logging_interval_times=10)
    )
    told: dict[str, dict[str, Any]] = {
        "trainer.checkpoint_interval_times": {"after": {"every_n_train_steps": 50}},
        "trainer.logging_interval_times": {"after": 500},
    }
    assert lines_to_paste(settings, told) == [
        "Trainer(..., log_every_n_steps=500)",
        "ModelCheckpoint(..., every_n_train_steps=50)",
    ]
