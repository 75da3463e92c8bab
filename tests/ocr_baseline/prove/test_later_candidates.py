"""What the first trials speak for: settings together, and what the best trial's replay says."""

from __future__ import annotations

from ocr_baseline.analysis.analyze import measure
from ocr_baseline.prove.candidates import Candidate, Saving, name_of
from ocr_baseline.prove.judging import Tried
from ocr_baseline.prove.later_candidates import later_candidates
from ocr_baseline.unchanged_script.settings import LoaderSettings, Settings
from tests.ocr_baseline.analysis.builders import loaded_run, with_environment

WORKERS = Settings(train=LoaderSettings(num_workers=1))
LARGE = Settings(validation=LoaderSettings(batch_size=32))
LARGER = Settings(validation=LoaderSettings(batch_size=64))


def tried(settings: Settings | None, phase: str, train_s: float, validation_s: float) -> Tried:
    candidate = None
    if settings is not None:
        candidate = Candidate(
            name=name_of(settings),
            settings=settings,
            phase=phase,
            why="a test",
            predicted=Saving(2.0, 1.0, 3.0),
        )
    trials = [{"train": train_s, "validation": validation_s + late_s} for late_s in (0.0, 0.1)]
    return Tried(candidate, phases_s=trials)


def test_settings_that_each_shorten_another_phase_are_tried_together() -> None:
    [together] = later_candidates(
        [
            tried(None, "", 10.0, 6.0),
            tried(WORKERS, "train", 5.0, 6.0),
            tried(LARGE, "validation", 10.0, 4.0),
            tried(LARGER, "validation", 10.0, 5.0),
        ]
    )
    assert together.settings.given() == {"train.num_workers": 1, "validation.batch_size": 32}
    assert together.phase == "run"
    assert together.predicted == Saving(4.0, 2.0, 6.0)


def test_a_setting_that_saved_nothing_is_not_tried_again_with_another() -> None:
    first = [tried(WORKERS, "train", 5.0, 6.0), tried(LARGE, "validation", 10.0, 6.0)]
    assert later_candidates([tried(None, "", 10.0, 6.0), *first]) == []


def test_the_best_trials_own_replay_speaks_for_more() -> None:
    base, leader = tried(None, "", 20.0, 1.0), tried(WORKERS, "train", 12.0, 1.0)
    trial = with_environment(loaded_run(making_s=[0.2] * 40, main_s=0.1, workers=1), cpu_count=4)
    leader.last = measure(trial)
    best = later_candidates([base, leader])[0]
    assert best.settings.given() == {"train.num_workers": 2}
    assert best.predicted is not None
    # The trial's 8 s become half as long, and so do the 12 s of the run, of 20 as it was.
    assert 13.0 < best.predicted.value_s < 14.5


def test_where_nothing_beat_the_run_as_it_is_nothing_more_is_tried() -> None:
    assert later_candidates([tried(None, "", 5.0, 1.0), tried(WORKERS, "train", 9.0, 1.0)]) == []


def test_what_the_replay_and_the_settings_together_both_speak_for_is_tried_once() -> None:
    base = tried(None, "", 20.0, 12.0)
    leader = tried(LARGE, "validation", 20.0, 2.0)
    trial = with_environment(loaded_run(making_s=[0.2] * 40, main_s=0.1, workers=1), cpu_count=4)
    leader.last = measure(trial)
    spoken_for = later_candidates([base, leader])[0].settings
    assert spoken_for.given() == {"train.num_workers": 2, "validation.batch_size": 32}
    other = tried(Settings(train=spoken_for.train), "train", 15.0, 12.0)
    later = [one.settings for one in later_candidates([base, leader, other])]
    assert later.count(spoken_for) == 1
    assert len(later) == len(set(later))


def test_settings_too_long_for_a_name_still_have_names_of_their_own() -> None:
    kept = LoaderSettings(num_workers=16, prefetch_factor=4, persistent_workers=True)
    both = Settings(train=kept, validation=kept)
    larger = Settings(train=kept, validation=LoaderSettings(num_workers=16, batch_size=64))
    assert name_of(both)[:60] == name_of(larger)[:60]
    assert name_of(both) != name_of(larger)
    assert max(len(name_of(both)), len(name_of(larger))) <= 90
