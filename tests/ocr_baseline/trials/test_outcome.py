"""What trials came to, from documents that the test writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_baseline.errors import TrialsError
from ocr_baseline.places import Reading
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.trials.arms import Trial
from ocr_baseline.trials.outcome import busy_warning, closing_lines, outcome_of
from tests.ocr_baseline.comparison.measured_runs import baseline


def trials(
    folder: Path,
    arm: str,
    count: int,
    *,
    factor: float = 1.0,
    samples_per_batch: int | None = None,
    failed: int = 0,
) -> list[Trial]:
    """Return trials with their documents; the first of them have failed."""
    found = []
    for number in range(count):
        trial = Trial(
            arm=arm,
            number=number,
            folder=folder / f"{arm}-{number}",
            took_s=1.0,
            canary_s=0.1,
            failure="exited with status 1" if number < failed else None,
        )
        document = baseline(ord(arm) * 10 + number, factor=factor * (1 + number / 1000))
        if samples_per_batch is not None:
            phase = document.phases[0]
            assert phase.batches is not None
            samples = phase.batches * samples_per_batch
            phase = phase.model_copy(update={"samples": samples, "epochs": 1})
            document = document.model_copy(update={"phases": [phase]})
        trial.baseline.mkdir(parents=True)
        (trial.baseline / "baseline.json").write_text(render_json(document), encoding="utf-8")
        found.append(trial)
    return found


def test_runs_that_failed_are_left_out_of_the_spread(tmp_path: Path) -> None:
    outcome = outcome_of(trials(tmp_path, "a", 4, failed=1), Reading())
    text = outcome.text(width=100, color=False)
    assert text.startswith("3 runs: a-1, a-2, a-3\n")
    assert outcome.comparison is None


def test_what_two_arms_differ_in_does_not_keep_them_from_being_compared(tmp_path: Path) -> None:
    made = [*trials(tmp_path, "a", 5), *trials(tmp_path, "b", 5, factor=1.5)]
    comparison = outcome_of(made, Reading()).comparison
    assert comparison is not None
    assert not comparison.obstacles
    (batch_time,) = (one for one in comparison.metrics if one.metric.key == "train.batch_time")
    assert batch_time.verdict == "regression"


def test_where_batches_differ_in_size_their_times_do_not_fail_a_check(tmp_path: Path) -> None:
    made = [
        *trials(tmp_path, "a", 5, samples_per_batch=4),
        *trials(tmp_path, "b", 5, factor=1.5, samples_per_batch=8),
    ]
    comparison = outcome_of(made, Reading()).comparison
    assert comparison is not None
    gated = {one.metric.key for one in comparison.metrics if one.metric.is_gated}
    assert "train.batch_time" not in gated
    assert any("times per sample decide" in note for note in comparison.notes)


def test_where_batches_differ_in_size_no_time_per_batch_gets_a_verdict_or_an_account(
    tmp_path: Path,
) -> None:
    made = [
        *trials(tmp_path, "a", 5, samples_per_batch=32),
        *trials(tmp_path, "b", 5, factor=0.25, samples_per_batch=8),
    ]
    comparison = outcome_of(made, Reading()).comparison
    assert comparison is not None
    per_batch = [one for one in comparison.metrics if one.metric.name.startswith("batch_time")]
    assert {one.verdict for one in per_batch} == {"incomparable"}
    assert (per_batch[0].judgement.reason or "").endswith(
        "samples 32 in the base and 8 in the new runs"
    )
    assert comparison.breakdowns == ()


def test_too_few_runs_are_told_with_where_to_look(tmp_path: Path) -> None:
    made = [*trials(tmp_path, "a", 3), *trials(tmp_path, "b", 3, failed=2)]
    with pytest.raises(TrialsError, match=r"1 of 3 runs of b ended well.*b-0 exited with status 1"):
        outcome_of(made, Reading())


def test_the_end_says_where_runs_are_and_what_can_be_done_with_them(tmp_path: Path) -> None:
    both = [*trials(tmp_path, "a", 2, failed=1), *trials(tmp_path, "b", 2)]
    where, failed, again = closing_lines(both, tmp_path)
    assert where == f"Runs and their baselines: {tmp_path}"
    assert failed == "Left out, because they failed: a-0"
    assert again.startswith(f"Compare again: ocr-baseline compare '{tmp_path}/a-*'")
    many = trials(tmp_path / "many", "a", 8)
    assert closing_lines(many, tmp_path)[-1].startswith("To keep this machine's spread")


def with_canaries(*canaries_s: float) -> list[Trial]:
    return [
        Trial(arm="a", number=number, folder=Path(f"a-{number}"), took_s=1.0, canary_s=canary_s)
        for number, canary_s in enumerate(canaries_s)
    ]


def test_a_machine_that_was_busy_before_some_runs_is_told() -> None:
    warning = busy_warning(with_canaries(0.1, 0.1, 0.15))
    assert warning is not None
    assert "50%" in warning
    assert "a-2" in warning
    assert busy_warning(with_canaries(0.1, 0.105)) is None
