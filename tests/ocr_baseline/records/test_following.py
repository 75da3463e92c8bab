"""Records that grow, read piece by piece."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_baseline.records import following
from ocr_baseline.records.following import Following
from ocr_baseline.vocabulary import Stage

GOLDEN = Path(__file__).parent / "golden_run" / "finished" / "rank_0.jsonl"
LINES = GOLDEN.read_bytes().splitlines(keepends=True)


def test_what_was_appended_adds_up_to_the_whole_and_a_torn_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "rank_0.jsonl"
    looks = Following(tmp_path)
    whole = b"".join(LINES)
    for end in (0, 10, len(whole) // 2, len(whole) - 1, len(whole)):
        path.write_bytes(whole[:end])
        progress = looks.catch_up()
    train = progress.stage_totals(Stage.TRAIN)
    assert train is not None
    assert (train.batches, train.epochs) == (12, 2)
    assert progress.has_ended


def test_a_long_file_is_read_in_several_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_BYTES_A_LOOK", 1000)
    (tmp_path / "rank_0.jsonl").write_bytes(b"".join(LINES))
    looks = Following(tmp_path)
    count = 1
    progress = looks.catch_up()
    while looks.is_behind:
        progress = looks.catch_up()
        count += 1
    assert count > 2
    assert len(progress.stages) == 2


def test_another_run_in_the_place_of_the_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "rank_0.jsonl"
    path.write_bytes(b"".join(LINES))
    looks = Following(tmp_path)
    assert looks.catch_up().has_ended
    path.rename(tmp_path / "earlier.jsonl")
    assert looks.catch_up().has_ended
    path.write_bytes(LINES[0])
    progress = looks.catch_up()
    assert not progress.has_ended
    assert progress.stages == ()


def test_a_run_that_goes_on_after_a_stage_ended_has_not_ended(tmp_path: Path) -> None:
    batches = next(line for line in LINES if b'"type":"batches","stage":"train"' in line)
    (tmp_path / "rank_0.jsonl").write_bytes(b"".join(LINES) + batches)
    assert not Following(tmp_path).catch_up().has_ended
