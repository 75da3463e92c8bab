"""What a run finds in its folder: records of an earlier run are kept until it has got anywhere."""

from __future__ import annotations

from pathlib import Path

from ocr_baseline.recording.earlier_records import (
    is_any_set_aside,
    keep_set_aside,
    put_back,
    set_aside,
)

BATCH = '{"type":"batches","stage":"train"}\n'
START = '{"type":"header"}\n{"type":"batches","stage":"sanity_check"}\n'


def put(folder: Path, run: str, *, main: str = BATCH, ranks: tuple[int, ...] = (0, 1, 11)) -> None:
    """Put a run's files into a folder: of each rank its own, and one of a loader worker."""
    for rank in ranks:
        (folder / f"rank_{rank}.jsonl").write_text(f"{main}{run}\n")
        (folder / f"rank_{rank}_worker_train_{run}.jsonl").write_text(f"{run}\n")


def held(folder: Path) -> dict[str, str]:
    files = folder.rglob("rank_*")
    return {str(path.relative_to(folder)): path.read_text().split()[-1] for path in files}


def test_each_rank_sets_its_own_aside_and_rank_0_those_of_ranks_no_more(tmp_path: Path) -> None:
    put(tmp_path, "a")

    set_aside(tmp_path, rank=1, world_size=2)
    assert not list(tmp_path.glob("rank_1[._]*"))
    assert len(list(tmp_path.glob("rank_*"))) == 4
    set_aside(tmp_path, rank=0, world_size=2)

    assert not list(tmp_path.glob("rank_*"))
    assert len(list((tmp_path / "earlier").iterdir())) == 6


def test_what_was_set_aside_takes_the_place_of_a_run_that_ended_at_its_start(
    tmp_path: Path,
) -> None:
    put(tmp_path, "a")
    before = held(tmp_path)
    for rank in (0, 1):
        set_aside(tmp_path, rank, world_size=2)
    put(tmp_path, "b", main=START, ranks=(0, 1))

    assert is_any_set_aside(tmp_path)
    put_back(tmp_path)

    assert held(tmp_path) == before
    assert not is_any_set_aside(tmp_path)


def test_what_was_set_aside_outlives_a_start_that_was_killed_and_gives_way_to_a_run(
    tmp_path: Path,
) -> None:
    tmp_path = tmp_path / "records"
    tmp_path.mkdir()
    put(tmp_path, "a", ranks=(0,))
    set_aside(tmp_path, rank=0, world_size=1)
    put(tmp_path, "killed", main=START, ranks=(0,))

    set_aside(tmp_path, rank=0, world_size=1)
    assert held(tmp_path) == {
        "earlier/rank_0.jsonl": "a",
        "earlier/rank_0_worker_train_a.jsonl": "a",
    }

    put(tmp_path, "c", ranks=(0,))
    keep_set_aside(tmp_path)
    assert held(tmp_path) == {"rank_0.jsonl": "c", "rank_0_worker_train_c.jsonl": "c"}


def test_what_was_set_aside_is_kept_beside_the_report_in_a_folder_named_by_when_it_began(
    tmp_path: Path,
) -> None:
    records = tmp_path / "records"
    records.mkdir()
    for run in ("a", "b"):
        began = '{"type":"header","written_at":"2026-03-01T13:00:05+01:00"}\n'
        put(records, run, main=began + BATCH, ranks=(0,))
        set_aside(records, rank=0, world_size=1)
        keep_set_aside(records)
    assert held(tmp_path / "earlier") == {
        f"2026-03-01_12-00-05{number}/records/{name}": run
        for number, run in (("", "a"), ("-2", "b"))
        for name in ("rank_0.jsonl", f"rank_0_worker_train_{run}.jsonl")
    }


def test_a_run_whose_successor_was_killed_is_kept_when_the_next_one_begins(
    tmp_path: Path,
) -> None:
    records = tmp_path / "records"
    records.mkdir()
    for run in ("a", "killed"):
        put(records, run, ranks=(0,))
        set_aside(records, rank=0, world_size=1)
    assert sorted(held(records).values()) == ["killed", "killed"]
    assert sorted(held(tmp_path / "earlier").values()) == ["a", "a"]


def test_nothing_set_aside_is_nothing_to_keep(tmp_path: Path) -> None:
    keep_set_aside(tmp_path / "records")
    assert not list(tmp_path.iterdir())
