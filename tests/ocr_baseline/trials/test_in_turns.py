"""Runs in turns, with small programs in place of trainings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocr_baseline.errors import TrialsError
from ocr_baseline.trials.arms import Arm, Trial, Turn
from ocr_baseline.trials.in_turns import StoppedError, in_turns
from ocr_baseline.trials.patience import Patience
from ocr_baseline.trials.watching import Nobody
from tests.ocr_baseline.trials.scripts import script

pytestmark = pytest.mark.slow


class Listener(Nobody):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left_s: list[float | None] = []

    def begins(self, turn: Turn, done: int, total: int, left_s: float | None) -> None:
        self.left_s.append(left_s)

    def ended(self, trial: Trial, done: int, total: int, left_s: float | None) -> None:
        self.lines.append(f"{done} of {total}: {trial.name} {trial.failure or 'ended well'}")

    def told(self, message: str) -> None:
        self.lines.append(message)


def tried(
    arms: list[Arm],
    into: Path,
    repeats: int = 2,
    *,
    warm_ups: int = 0,
    limit_s: float = 120,
    patience: Patience | None = None,
) -> tuple[list[Trial], Listener]:
    heard = Listener()
    trials = in_turns(
        arms,
        repeats,
        into,
        warm_ups=warm_ups,
        limit=lambda turn, before: limit_s,
        patience=patience or Patience(0),
        watcher=heard,
    )
    return trials, heard


def test_each_run_is_a_process_with_a_folder_and_the_environment_of_its_arm(tmp_path: Path) -> None:
    command = script(tmp_path)
    arms = [Arm("a", command), Arm("b", command, {"FACTOR": "2"})]
    trials, heard = tried(arms, tmp_path / "out", warm_ups=1)
    assert [trial.name for trial in trials] == ["a-0", "b-0", "b-1", "a-1"]
    documents = {
        trial.name: json.loads((trial.baseline / "baseline.json").read_text()) for trial in trials
    }
    assert len({document["series"] for document in documents.values()}) == 4
    medians = {
        name: document["phases"][0]["batch_time_s"]["median"]
        for name, document in documents.items()
    }
    assert medians["b-0"] > 1.5 * medians["a-0"]
    assert heard.lines[0] == "1 of 5: warmup-0 ended well"
    assert heard.left_s[0] is None
    assert None not in heard.left_s[1:]
    record = json.loads((tmp_path / "out" / "trials.json").read_text())
    assert [run["folder"] for run in record["runs"]] == ["warmup-0", "a-0", "b-0", "b-1", "a-1"]


@pytest.mark.parametrize(
    ("how", "failure"),
    [
        ("fails-first", "exited with status 1"),
        ("interrupted", "ended with a training that is interrupted"),
        ("leaves-none", "made a Trainer, but left no baseline in"),
        ("sweeps", "left 2 baselines of a Hydra sweep's jobs in"),
    ],
)
def test_a_run_that_failed_is_told_and_does_not_count(
    how: str, failure: str, tmp_path: Path
) -> None:
    trials, heard = tried([Arm("a", script(tmp_path, how))], tmp_path / "out")
    assert trials[0].failure is not None
    assert trials[0].failure.startswith(failure)
    assert heard.lines[0].startswith(f"1 of 2: a-0 {failure}")
    if how == "fails-first":
        assert trials[1].failure is None
        assert (tmp_path / "out" / "a-0" / "output.log").read_text() == "not yet\n"


def test_a_command_without_a_trainer_is_told_so(tmp_path: Path) -> None:
    (trial,), _ = tried([Arm("a", ["true"])], tmp_path / "out", 1)
    assert trial.failure is not None
    assert trial.failure.startswith("made no Trainer")


def test_an_arm_that_only_fails_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    command = script(tmp_path)
    arms = [Arm("a", command), Arm("b", ["no-such-program"]), Arm("c", command)]
    trials, heard = tried(arms, tmp_path / "out", 3)
    counted = [trial.name for trial in trials if trial.failure is None]
    assert counted == ["a-0", "c-0", "c-1", "a-1", "a-2", "c-2"]
    assert [trial.name for trial in trials if trial.failure] == ["b-0", "b-1"]
    assert "b has failed 2 times, so it isn't run again" in heard.lines
    assert trials[1].failure == "can't start no-such-program: No such file or directory"


def test_nothing_is_run_once_there_is_nothing_left_to_compare(tmp_path: Path) -> None:
    good, bad = Arm("a", script(tmp_path)), Arm("b", ["no-such-program"])
    trials, _ = tried([good, bad], tmp_path / "out", 9)
    assert [trial.name for trial in trials] == ["a-0", "b-0", "b-1"]


def test_a_warm_up_run_that_fails_ends_it_all(tmp_path: Path) -> None:
    with pytest.raises(TrialsError, match="the warm-up run exited with status 1"):
        tried([Arm("a", script(tmp_path, "fails"))], tmp_path / "out", warm_ups=1)
    assert not (tmp_path / "out" / "a-0").exists()


def test_each_run_waits_until_the_machine_is_free(tmp_path: Path) -> None:
    looks = iter([0.9, 0.0, 0.9, 0.0])
    patience = Patience(60, look=lambda: next(looks), clock=lambda: 0.0)
    _, heard = tried([Arm("a", script(tmp_path))], tmp_path / "out", 2, patience=patience)
    begun = [line.partition(" ")[0] for line in heard.lines]
    assert begun == ["Waiting", "1", "Waiting", "2"]


def test_a_folder_with_runs_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out" / "a-1").mkdir(parents=True)
    with pytest.raises(TrialsError, match="holds a run a-1 already"):
        tried([Arm("a", script(tmp_path))], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a-1"]


def test_a_run_that_takes_too_long_is_ended_and_does_not_count(tmp_path: Path) -> None:
    (trial,), _ = tried([Arm("a", script(tmp_path, "hangs"))], tmp_path / "out", 1, limit_s=1)
    assert trial.failure == "took longer than 1 s and was ended"


def test_trials_go_on_where_one_has_no_place_for_its_files(tmp_path: Path) -> None:
    """As on a disk that is full for a while: what was measured before isn't lost."""
    arms = [Arm("a", script(tmp_path)), Arm("b", script(tmp_path))]
    out = tmp_path / "out"

    class Blocks(Listener):
        def ended(self, trial: Trial, done: int, total: int, left_s: float | None) -> None:
            super().ended(trial, done, total, left_s)
            if done == 1:
                (out / "trials.json").unlink()
                (out / "trials.json").mkdir()  # nothing can be written there
                (out / "b-0").write_text("in the way", encoding="utf-8")

    heard = Blocks()
    trials = in_turns(arms, 2, out, warm_ups=0, patience=Patience(0), watcher=heard)
    assert [trial.name for trial in trials if trial.failure is None] == ["a-0", "b-1", "a-1"]
    assert any("can't write" in line for line in heard.lines)
    (blocked,) = (trial.failure for trial in trials if trial.failure is not None)
    assert blocked == f"wasn't started: its output can't be written to {out / 'b-0'}: File exists"


def test_ctrl_c_hands_over_the_runs_that_had_ended(tmp_path: Path) -> None:
    class Stops(Listener):
        def begins(self, turn: Turn, done: int, total: int, left_s: float | None) -> None:
            if done == 2:
                raise KeyboardInterrupt

    arms = [Arm("a", script(tmp_path))]
    with pytest.raises(StoppedError) as raised:
        in_turns(arms, 2, tmp_path / "out", patience=Patience(0), watcher=Stops())
    assert [trial.name for trial in raised.value.trials] == ["a-0"]
