"""The command of a run, as its records know it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ocr_baseline.errors import BaselineError
from ocr_baseline.measure import environment
from ocr_baseline.model.document import Baseline, Environment
from ocr_baseline.prove.command import command_of, other_machine, refuse_without_trainer
from tests.ocr_baseline.examples import full_baseline


def baseline(folder: Path | str, *command: str, **fields: Any) -> Baseline:
    volatile: dict[str, Any] = {"command": list(command), "working_folder": str(folder)}
    changes = {"environment": Environment(volatile=volatile), **fields}
    return full_baseline().model_copy(update=changes)


def test_the_command_and_its_folder_are_those_of_the_records(tmp_path: Path) -> None:
    found = command_of(baseline(tmp_path, "python", "train.py", "--epochs", "3"))
    assert found.arguments == ("python", "train.py", "--epochs", "3")
    assert found.folder == tmp_path


def test_a_home_folder_that_outputs_shorten_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = command_of(baseline("~", "~/bin/python", "train.py", "--data=~/data"))
    assert found.folder == tmp_path
    assert found.arguments == (f"{tmp_path}/bin/python", "train.py", f"--data={tmp_path}/data")


@pytest.mark.parametrize(
    ("command", "fields", "message"),
    [
        ((), {}, "don't hold its command"),
        (("python", "train.py", "--api-key", "<redacted>"), {}, "looks like a secret"),
        (("python", "-m", "ipykernel_launcher"), {}, "notebook"),
        (
            ("python", "-c", "spawn_main(tracker_fd=5)", "--multiprocessing-fork"),
            {},
            "another one started",
        ),
        (("python", "train.py"), {"world_size": 2}, "2 processes"),
    ],
)
def test_a_command_that_can_not_be_run_again_is_asked_for(
    tmp_path: Path, command: tuple[str, ...], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(BaselineError, match=message) as raised:
        command_of(baseline(tmp_path, *command, **fields))
    assert "-- python train.py" in str(raised.value)


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="isn't there"):
        command_of(baseline(tmp_path / "gone", "python", "train.py"))


def test_a_loop_of_the_users_own_is_refused_before_it_is_run_in_full(tmp_path: Path) -> None:
    by_trainer = Environment(identity={"strategy": "SingleDeviceStrategy"})
    refuse_without_trainer(full_baseline().model_copy(update={"environment": by_trainer}))
    with pytest.raises(BaselineError, match="made without a Trainer"):
        refuse_without_trainer(full_baseline().model_copy(update={"environment": Environment()}))


def test_a_run_of_another_machine_is_told(tmp_path: Path) -> None:
    def told(**known: Any) -> str | None:
        of_run = Environment(identity=known)
        return other_machine(full_baseline().model_copy(update={"environment": of_run}))

    here = environment.identity()
    assert told() is None
    assert told(cpu_model=here["cpu_model"], cpu_count=here["cpu_count"]) is None
    assert "cpu_count 4096; here: cpu_count " in str(told(cpu_count=4096))
