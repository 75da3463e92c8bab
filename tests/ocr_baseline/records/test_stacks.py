"""Sampled call stacks read back: one set for each stage and kind of process, never a wrong name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.model.run import Run, SampledFunction, SampledStack
from ocr_baseline.records import reader
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from pathlib import Path

HEADER = {"type": "header", "format": "ocr-baseline-records", "version": 1, "sampling_hz": 100.0}
FIT = SampledFunction("Trainer.fit", "lightning/trainer.py", 500)
STEP = SampledFunction("Module.training_step", "train.py", 12)
FETCH = SampledFunction("Dataset.__getitem__", "data.py", 7)


def functions(*met: SampledFunction, first: int = 0, **worker: int) -> dict[str, Any]:
    return {
        "type": "stack_functions",
        "first": first,
        "name": [function.name for function in met],
        "file": [function.file for function in met],
        "line": [function.line for function in met],
        **worker,
    }


def samples(
    *stacks: tuple[str, list[int], int], stage: str = "train", **worker: int
) -> dict[str, Any]:
    lines, numbers, ticks = zip(*stacks, strict=True)
    return {
        "type": "stack_samples",
        "stage": stage,
        "interval_ns": 10_000_000,
        "cost_ns": 30_000,
        "line": list(lines),
        "stack": list(numbers),
        "ticks": list(ticks),
        **worker,
    }


def read(folder: Path, *records: dict[str, Any], **workers: list[dict[str, Any]]) -> Run:
    """Write a main record file and workers' files, and read them."""
    for name, content in {"rank_0": [HEADER, *records], **workers}.items():
        lines = (json.dumps(record) for record in content)
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return reader.load(folder)


def test_records_of_one_process_add_up(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        functions(FIT),
        samples(("other", [0], 2)),
        functions(STEP, first=1),
        samples(("forward", [0, 1], 30), ("other", [0], 1)),
        samples(("other", [0], 5), stage="validation"),
    )

    train, validation = run.stack_samples
    assert (train.stage, train.process, train.interval_s) == (Stage.TRAIN, "main", 0.01)
    assert train.functions == (FIT, STEP)
    assert train.stacks == (SampledStack("forward", (0, 1), 30), SampledStack("other", (0,), 3))
    assert train.cost_s == pytest.approx(60e-6)
    assert (validation.stage, validation.stacks) == (
        Stage.VALIDATION,
        (SampledStack("other", (0,), 5),),
    )
    assert run.measurement.lost_records == 0


def test_workers_that_number_functions_each_in_their_way_are_merged(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        rank_0_worker_train_0=[
            functions(FIT, FETCH, pid=8),
            samples(("fetch", [0, 1], 4), pid=8, worker=0),
            functions(FETCH, pid=11),  # the worker of the next epoch goes on in the file
            samples(("fetch", [0], 1), pid=11, worker=0),
        ],
        rank_0_worker_train_1=[
            functions(FETCH, FIT, pid=9),
            samples(("fetch", [1, 0], 5), ("idle", [1], 7), pid=9, worker=1),
        ],
    )

    (workers,) = run.stack_samples
    named = {
        (stack.line, *(workers.functions[number].name for number in stack.stack)): stack.ticks
        for stack in workers.stacks
    }
    assert workers.process == "worker"
    assert named == {
        ("fetch", "Trainer.fit", "Dataset.__getitem__"): 9,
        ("fetch", "Dataset.__getitem__"): 1,
        ("idle", "Trainer.fit"): 7,
    }


@pytest.mark.parametrize(
    "damage",
    [
        {"stack": [[0, 7]]},
        {"stack": [[]]},
        {"stack": [["0"]]},
        {"stack": [[-1]]},
        {"stack": [[[0]]]},
        {"stack": [0]},
        {"stack": [[0] * 100_000]},
        {"ticks": [-1]},
        {"ticks": [1, 2]},
        {"ticks": [1.5]},
        {"line": [1]},
        {"line": []},
        {"line": "o"},
        {"stage": "lunch"},
        {"interval_ns": 0},
        {"interval_ns": 5_000_000},
        {"cost_ns": -1},
        {"pid": "8"},
    ],
)
def test_a_damaged_record_of_stacks_is_counted_and_adds_nothing(
    tmp_path: Path, damage: dict[str, Any]
) -> None:
    whole = samples(("other", [0], 3))

    run = read(tmp_path, functions(FIT), whole, {**whole, **damage})

    (train,) = run.stack_samples
    assert train.stacks == (SampledStack("other", (0,), 3),)
    assert run.measurement.lost_records == 1


@pytest.mark.parametrize(
    "damage",
    [{"name": ["a", "b"]}, {"file": [None]}, {"line": [-3]}, {"first": -1}, {"first": 2**40}],
)
def test_stacks_of_functions_that_were_damaged_are_not_given_other_names(
    tmp_path: Path, damage: dict[str, Any]
) -> None:
    run = read(
        tmp_path,
        {**functions(FIT), **damage},
        functions(STEP, first=1),
        samples(("other", [0], 3)),
        samples(("forward", [1], 4)),
    )

    (train,) = run.stack_samples
    assert train.functions == (STEP,)
    assert train.stacks == (SampledStack("forward", (0,), 4),)
    assert run.measurement.lost_records == 2


@pytest.mark.parametrize(
    ("header", "reason", "detail"),
    [
        ({"sampling_hz": 0.0}, "skipped", "sampling_hz is 0"),
        ({"no_sampling": "run it in the main thread"}, "unsupported", "run it in the main thread"),
        ({}, "not_collected", "the run ended before a call stack was sampled"),
    ],
)
def test_a_run_without_stacks_says_why(
    tmp_path: Path, header: dict[str, Any], reason: str, detail: str
) -> None:
    run = read(tmp_path, {**HEADER, **header})

    (entry,) = (entry for entry in run.missing if entry.metric == "stack_samples")
    assert (entry.reason, entry.detail) == (reason, detail)


def test_records_made_before_there_was_sampling_say_nothing_of_it(tmp_path: Path) -> None:
    run = read(tmp_path, rank_0=[{key: HEADER[key] for key in ("type", "format", "version")}])

    assert all(entry.metric != "stack_samples" for entry in run.missing)


def test_what_sampling_took_is_part_of_what_measuring_cost(tmp_path: Path) -> None:
    batch = {
        "type": "batches",
        "stage": "train",
        "epoch": [0],
        "batch_idx": [0],
        "dataloader_idx": [0],
        "samples": [4],
        "start_ns": [0],
        "lines_ns": {"forward": [50_000_000]},
    }
    with_stacks = read(tmp_path, batch, functions(FIT), samples(("forward", [0], 3)))
    without = read(tmp_path, batch)

    cost_s = [analyze(run).measurement.overhead_s for run in (with_stacks, without)]
    assert cost_s == [pytest.approx(30e-6), 0.0]
