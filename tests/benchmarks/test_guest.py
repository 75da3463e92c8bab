from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import guest
from benchmarks.guest_members.kinds import KINDS, members_of
from benchmarks.guest_members.outcome import Template, compare
from benchmarks.guest_members.truths import check_report

REPRESENTATIVES = {
    "loaders": "dataset_length_draws",
    "callbacks": "ours_removed_in_the_run",
    "stand_ins": "operation_pickled",
    "names": "builtin_length",
    "samples": "combined_longest",
}


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    process = Template()
    yield process
    process.close()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), REPRESENTATIVES.items())
def test_a_training_goes_on_as_without_us_and_its_numbers_are_true(
    kind: str, name: str, template: Template, tmp_path: Path
) -> None:
    assert compare(template, kind, name, tmp_path).problems == []


def test_every_member_says_in_a_sentence_what_is_done() -> None:
    members = [member for kind in KINDS for member in members_of(kind).values()]

    assert len(members) >= 100
    assert all(member.sentence != member.name for member in members)


def test_a_name_that_is_no_members_is_refused_with_names_near_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["guest.py", "--member", "combined_longst"])

    with pytest.raises(SystemExit) as refused:
        guest.main()

    assert refused.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "no member 'combined_longst'" in told.err
    assert "combined_longest" in told.err


def test_a_number_that_is_not_in_the_report_is_not_false(tmp_path: Path) -> None:
    phase = {"name": "train", "dataloader": None, "samples": 12, "batches": None}
    document = {"phases": [{**phase, "breakdown": [{"name": "forward", "total_s": 0.5}]}]}
    (tmp_path / "baseline.json").write_text(json.dumps(document))
    truths = {"train.samples": 16, "train.batches": 4, "train.forward_s": (0.4, 0.6)}

    checked = check_report(tmp_path, truths)

    assert checked.false == ["train.samples: the report says 12, true is 16"]
    assert (checked.checked, checked.unmeasured) == (3, 1)
