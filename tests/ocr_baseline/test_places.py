"""What a place stands for, asked of every command that reads runs: real folders, real commands."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.cli import main
from ocr_baseline.model.document import Baseline
from ocr_baseline.records import reader
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.recorded_runs import record
from tests.ocr_baseline.store_files import write_runs

METRICS = "epoch,step,performance/val_epoch_time,performance/val_num_batches\n0,1,2.5,4\n"
ONE_RUN = ("report", "show", "plot")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OCR_BASELINE_STORE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)


def document_of(folder: Path) -> Baseline:
    return analyze(reader.load(folder))


def write_document(folder: Path, baseline: Baseline) -> Path:
    path = folder / "baseline" / "baseline.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_json(baseline), encoding="utf-8")
    return path


def write_metrics(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text(METRICS)
    return folder / "metrics.csv"


def reported(capsys: pytest.CaptureFixture[str], *place: str) -> tuple[Baseline, str]:
    """Return what `report` reads at a place, and what it says of it."""
    assert main(["report", *place, "--output", "r.md", "--export-json", "r.json"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Wrote")]
    return Baseline.model_validate_json(Path("r.json").read_bytes()), "\n".join(said)


def stored(place: str) -> str | None:
    """Return the id of the run that `baseline add` reads at a place."""
    assert main(["baseline", "add", "tried", place, "--store", "kept"]) == 0
    (path,) = Path("kept", "tried").glob("*.json")
    return Baseline.model_validate_json(path.read_bytes()).run.id


def test_a_folder_whose_records_and_document_disagree_is_one_run_in_every_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record(Path("run"), "recorded", 4)
    other = document_of(record(Path("other"), "told", 9))
    write_document(Path("run"), other)

    for command in ("report", "show", "plot"):
        assert main([command, "run"]) == 0
        said = capsys.readouterr()
        assert "the run's id is recorded in the records and told in it" in said.err, command
        if command != "plot":
            assert "recorded" in said.out
    assert stored("run") == "recorded"
    assert "the records were read" in capsys.readouterr().err
    assert main(["compare", "other", "run", "--format", "json"]) == 0
    said = capsys.readouterr()
    assert "the records were read" in said.err
    assert main(["check", "run", "--baseline", "other", "--export-json", "c.json"]) == 0
    assert "the records were read" in capsys.readouterr().err


def test_a_document_of_fewer_batches_than_the_records_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record(Path("run"), "a", 4)
    early = document_of(Path("run"))
    (phase,) = early.phases
    phase = phase.model_copy(update={"batches": 2})
    write_document(Path("run"), early.model_copy(update={"phases": [phase]}))

    baseline, said = reported(capsys, "run")

    assert baseline.phases[0].batches == 4
    assert "train has 4 batches in the records and 2 in it; the records were read" in said


def test_a_document_that_agrees_is_not_mentioned_and_tells_how_the_run_ended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record(Path("run"), "a", 4)
    told = document_of(Path("run"))
    ended = replace(told.run, status="failed", ended_by="signal 9")
    write_document(Path("run"), told.model_copy(update={"run": ended}))

    baseline, said = reported(capsys, "run")

    assert (baseline.run.status, baseline.run.ended_by, said) == ("failed", "signal 9", "")


def test_a_document_stands_in_for_records_that_can_not_be_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_document(Path("run"), document_of(record(Path("run"), "a", 4)))
    Path("run/baseline/records/rank_0.jsonl").write_text("damaged\n")

    baseline, said = reported(capsys, "run")

    assert baseline.run.id == "a"
    assert "the records can't be read" in said


def test_a_document_that_is_damaged_beside_records_costs_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record(Path("run"), "a", 4)
    Path("run/baseline/baseline.json").write_text("{")

    baseline, said = reported(capsys, "run")

    assert (baseline.run.id, said) == ("a", "")


@pytest.mark.parametrize(
    "place",
    ["run", "run/baseline", "run/baseline/records", "run/baseline/records/rank_0.jsonl", "ru*"],
)
def test_every_folder_and_file_around_records_names_the_run(
    capsys: pytest.CaptureFixture[str], place: str
) -> None:
    record(Path("run"), "a", 4)

    baseline, _ = reported(capsys, place)

    assert (baseline.run.source, baseline.run.id) == ("recorder", "a")


@pytest.mark.parametrize(
    "place",
    [
        "lightning_logs/version_3",
        "lightning_logs/version_3/metrics.csv",
        "csv:lightning_logs/version_3",
        "csv:lightning_logs",
        "lightning_logs",
        ".",
    ],
)
def test_a_csv_loggers_folder_is_read_by_every_command(
    capsys: pytest.CaptureFixture[str], place: str
) -> None:
    write_metrics(Path("lightning_logs/version_3"))

    for command in ONE_RUN:
        assert main([command, place]) == 0, capsys.readouterr().err
    assert main(["baseline", "add", "main", place, "--store", "kept"]) == 0
    assert main(["check", place, "--baseline", "main", "--store", "kept"]) == 2
    assert "is on both sides" in capsys.readouterr().err


def test_event_files_and_their_folder_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard")
    loggers = pytest.importorskip("lightning.pytorch.loggers")
    logger = loggers.TensorBoardLogger(".", name="tb")
    logger.log_metrics({"performance/val_epoch_time": 2.5, "epoch": 0}, step=3)
    logger.finalize("success")
    (events,) = Path("tb/version_0").glob("*tfevents*")

    for place in ("tb/version_0", str(events), "tensorboard:tb", "tb"):
        baseline, _ = reported(capsys, place)
        assert (baseline.run.source, baseline.phases[0].total_s) == ("tensorboard", 2.5)


def test_of_several_runs_a_command_for_one_names_them_and_others_take_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for version in range(7):
        write_metrics(Path(f"lightning_logs/version_{version}"))

    for command in ONE_RUN:
        assert main([command, "lightning_logs"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "lightning_logs holds 7 runs; name one of them: lightning_logs/version_0, " in line
        assert line.endswith(", ...")
    assert main(["calibrate", "lightning_logs"]) == 2
    assert "6 of 7 runs are copies" in capsys.readouterr().err


def test_a_users_own_names_count_in_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for name, seconds in (("a", 2.0), ("b", 3.0)):
        Path(name).mkdir()
        Path(name, "metrics.csv").write_text(f"epoch,my/val_s\n0,{seconds}\n")
    Path("names.yaml").write_text("my/val_s: performance/val_epoch_time\n")
    names = ("--metric-names", "names.yaml")

    assert main(["compare", "a", "b", "--format", "json", *names]) == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert [metric["metric"] for metric in metrics] == ["validation.epoch_time"]
    for command in ("baseline", "calibrate", "trend"):
        arguments = ["add", "main"] if command == "baseline" else []
        assert main([command, *arguments, "a", "b", *names]) in (0, 2)
        assert "no such option" not in capsys.readouterr().err.lower()


def test_a_name_in_the_store_is_its_latest_run_where_one_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_runs(Path("old"), 0)
    assert main(["baseline", "add", "main", "old"]) == 0
    capsys.readouterr()

    baseline, said = reported(capsys, "main")

    assert baseline.run.id == "run-4"
    assert said == "main: the latest of 5 stored runs is read"
    assert main(["baseline", "add", "copy", "main"]) == 0
    assert len(list(Path("baselines/copy").glob("*.json"))) == 5


def test_links_to_runs_in_the_same_folder_are_not_more_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record(Path("runs/first"), "a", 3)
    Path("runs/latest").symlink_to("first")

    baseline, _ = reported(capsys, "runs")

    assert baseline.run.id == "a"


@pytest.mark.parametrize(
    ("place", "part"),
    [
        (
            "absent",
            "no such file or folder, and no such name in the store (baselines holds nothing)",
        ),
        ("./absent", "no such file or folder; to read a W&B run"),
        ("x" * 5000, "no such file or folder"),
        ("absent*", "no file or folder matches"),
        ("csv:absent", "absent"),
        ("tensorboard:absent", "absent"),
        ("wandb:a/b/c/d", "names no W&B run"),
        ("https://wandb.example/nothing", "names no W&B run"),
        ("wandb:a1b2c3", "which project is it in"),
        ("empty", "neither a run folder nor a folder of run folders"),
    ],
)
def test_a_place_without_a_run_is_one_line_in_every_command(
    capsys: pytest.CaptureFixture[str], place: str, part: str
) -> None:
    Path("empty").mkdir()
    for command in (*ONE_RUN, "calibrate", "trend", "check"):
        budget = ["--baseline", place] if command == "check" else []
        assert main([command, place, *budget]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        line = captured.err.splitlines()[-1]
        assert line.startswith("ocr-baseline: error: ")
        assert part in line


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["baseline.json", "metrics.csv", "run-a.wandb", "a.tfevents.1"])
def test_only_regular_files_are_opened(capsys: pytest.CaptureFixture[str], name: str) -> None:
    Path("run").mkdir()
    os.mkfifo(Path("run", name))
    for place in ("run", f"run/{name}", f"csv:run/{name}", f"tensorboard:run/{name}"):
        assert main(["show", place]) == 2
        assert "error" in capsys.readouterr().err
