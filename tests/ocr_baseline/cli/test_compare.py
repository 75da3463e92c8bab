"""`ocr-baseline compare` on real files."""

from __future__ import annotations

import csv
import io
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.comparison.measured_runs import IDENTITY, LINES_S, baseline
from tests.ocr_baseline.store_files import FACTORS, write, write_runs


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("OCR_BASELINE_STORE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of five runs each; the second is a tenth slower."""
    write_runs(tmp_path / "old", 0)
    write_runs(tmp_path / "new", 10, slower=0.1)
    return tmp_path / "old", tmp_path / "new"


def compared(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict:
    assert main(["compare", *map(str, arguments), "--format", "json"]) == 0
    document: dict = json.loads(capsys.readouterr().out)
    return document


def metric(document: dict, key: str = "train.batch_time") -> dict:
    found: dict = next(entry for entry in document["metrics"] if entry["metric"] == key)
    return found


@pytest.mark.parametrize(
    ("base", "new"),
    [
        (["old"], ["new"]),
        (["old/run-*"], ["new/run-1?"]),
        (["old/**/baseline.json"], ["new/*/baseline/baseline.json"]),
        ([f"old/run-{i}" for i in range(5)], [f"new/run-{10 + i}/baseline" for i in range(5)]),
    ],
)
def test_sides_are_folders_patterns_files_or_runs(
    sets: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    base: list[str],
    new: list[str],
) -> None:
    found = metric(compared(capsys, *base, "--", *new))
    assert (found["n_base"], found["n_new"], found["verdict"]) == (5, 5, "regression")


def test_without_a_separator_the_first_is_the_base(
    sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = metric(compared(capsys, "old/run-0", "new/run-10", "new/run-11"))
    assert (found["n_base"], found["n_new"]) == (1, 2)


def test_options_may_stand_behind_the_separator(
    sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = metric(compared(capsys, "old", "--", "new", "--margin", "batch_time=20%"))
    assert found["verdict"] == "unchanged"


def test_the_terminal_shows_values_change_interval_verdict_and_the_lines(
    sets: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["compare", "old", "--", "new"]) == 0
    text = capsys.readouterr().out
    row = next(line for line in text.splitlines() if line.startswith("train: median batch"))
    assert row.split()[-4:] == ["regression", "5", "v", "5"]
    assert "+10.0%" in row
    assert "Training: +10.0 ms per batch: +6.00 ms forward, +3.00 ms metrics" in text
    assert "\x1b" not in text


def test_incomparable_runs_say_so_in_the_first_line_and_exit_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, baseline(0))
    write(tmp_path, baseline(1, identity={**IDENTITY, "torch": "2.15.0"}))
    assert main(["compare", "run-0", "run-1"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "Not comparable: torch is 2.14.1 in the base and 2.15.0 in the new runs."
    assert main(["compare", "run-0", "run-1", "--across", "torch"]) == 0
    assert "Not comparable" not in capsys.readouterr().out


def test_one_against_one_uses_the_block_means_of_the_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, batch_s in ((0, 0.1), (1, 0.15)):
        document = baseline(number, factor=batch_s / 0.1)
        train, *others = document.phases
        means_s = [batch_s * (1 + i % 2 / 100) for i in range(7)]
        train = train.model_copy(update={"block_means_s": means_s})
        write(tmp_path, document.model_copy(update={"phases": [train, *others]}))
    found = metric(compared(capsys, "run-0", "run-1"))
    assert (found["method"], found["verdict"]) == ("within run", "suspected")
    assert found["low"] == pytest.approx(0.5, abs=0.02)


def test_every_format_is_written(
    sets: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def written(name: str, *arguments: str) -> str:
        assert main(["compare", "old", "--", "new", "--output", name, *arguments]) == 0
        assert capsys.readouterr().out == ""
        return (tmp_path / name).read_text(encoding="utf-8")

    assert written("c.md").startswith("<!-- ocr-baseline comparison -->")
    assert json.loads(written("c.json"))["comparable"] is True
    rows = list(csv.DictReader(io.StringIO(written("c.csv"))))
    assert {row["verdict"] for row in rows} >= {"regression", "unchanged"}
    entries = json.loads(written("bench.json", "--format", "github-action-benchmark"))
    assert {"name", "unit", "value", "range", "extra"} == set(entries[0])
    bencher = json.loads(written("bencher.json", "--format", "bencher"))
    times = bencher["train"]["batch-time-s"]
    assert times["lower_value"] < times["value"] < times["upper_value"]


def test_a_name_of_the_store_is_its_runs_of_the_same_environment(
    sets: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write(tmp_path / "other", baseline(50, identity={**IDENTITY, "cpu_count": 64}))
    assert main(["baseline", "add", "main", "old", str(other)]) == 0
    document = compared(capsys, "main", "--", "new")
    assert metric(document)["n_base"] == 5
    assert document["comparable"] is True


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "both sides"),
        (["old"], "both sides"),
        (["--", "new"], "both sides"),
        (["old", "--"], "both sides"),
        (["old", "--", "new", "--", "new"], "once"),
        (["old", "--", "nowhere"], "no such name in the store (baselines holds nothing)"),
        (["old", "--", "empty"], "neither a run folder nor a folder of run folders"),
        (["old", "--", "nowhere/*.json"], "no file or folder matches"),
        (["old", "--", "new", "--margin", "batch_time=fast"], "isn't a quantity"),
        (["old", "--", "new", "--margin", "batch_tme=5%"], "did you mean batch_time"),
        (["old", "--", "new", "--gate", "speed"], "no metric 'speed'"),
        (["old", "--", "new", "--calibration", "absent.json"], "absent.json"),
        (["old", "--", "old/run-0", "new"], "is on both sides"),
        (["old", "--", "new/run-10", "--paired"], "as many on each side"),
        (["old", "--", "new", "--format", "pdf"], "pdf"),
        (["old", "--", "new", "--store", "nope://x"], "nope://x"),
    ],
)
def test_a_wrong_command_is_one_line_and_2(
    sets: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    part: str,
) -> None:
    Path("empty").mkdir()
    assert main(["compare", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert part in line


def test_documents_that_can_not_be_compared_are_one_line_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, baseline(0))
    documents = {
        "damaged.json": render_json(baseline(1))[:200],
        "newer.json": render_json(baseline(1)).replace('"1.0"', '"9.0"', 1),
        "negative.json": render_json(baseline(1, factor=-1.0)),
        "other.json": "{}",
    }
    for name, text in documents.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert main(["compare", "run-0", name]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert name in line


@pytest.mark.slow
def test_a_run_id_is_asked_for_where_a_project_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    write(tmp_path, baseline(0))
    assert main(["compare", "run-0", "a1b2c3d4", "--project", "p", "--entity", "e"]) == 2
    first, *others = capsys.readouterr().err.splitlines()
    assert first == "Reading run a1b2c3d4 from Weights & Biases"
    assert [line.startswith("ocr-baseline: error: ") for line in others] == [True]


def test_a_run_id_without_a_project_is_an_error_that_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, baseline(0))

    assert main(["compare", "run-0", "a1b2c3d4"]) == 2
    assert "or name its project" in capsys.readouterr().err


def test_a_copy_counts_once_and_is_noted(
    sets: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = compared(capsys, "old", "old/run-0", "--", "new")
    assert metric(document)["n_base"] == 5
    assert any("copy" in note for note in document["notes"])


def test_what_accounts_for_a_change_is_named_with_sets_that_differ_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i, factor in enumerate(FACTORS):
        write(tmp_path / "old", baseline(i, factor=factor))
        lines_s = {**LINES_S, "metrics": 0.05}
        write(tmp_path / "new", baseline(10 + i, factor=factor, lines_s=lines_s))
    document = compared(capsys, "old", "--", "new")
    (phase,) = document["breakdowns"]
    assert phase["lines"][0]["name"] == "metrics"
    assert phase["lines"][0]["delta_per_batch_s"] == pytest.approx(0.02)


def test_hostile_names_stay_on_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a|b`\n# c\x1b[31m"
    for number in (0, 1):
        document = baseline(number, lines_s={name: 0.1 + number})
        write(tmp_path, document)
    for format_name in ("terminal", "markdown", "csv"):
        assert main(["compare", "run-0", "run-1", "--format", format_name]) == 0
        text = capsys.readouterr().out
        assert "\x1b" not in text
        assert not any(line.startswith("# c") for line in text.splitlines())


def test_help_loads_none_of_the_engine() -> None:
    commands = ["compare", "check", "baseline", "baseline add", "calibrate", "trend"]
    program = (
        "import sys; from ocr_baseline.cli import main\n"
        "heavy = {'pydantic', 'numpy', 'rich', 'jinja2', 'scipy', 'torch', 'duckdb', 'fsspec'}\n"
        "for command in sys.argv[1:]:\n"
        "    status = main([*command.split(), '--help'])\n"
        "    print(status, command, sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *commands],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stderr.splitlines() == [f"0 {command} []" for command in commands]
    assert done.stdout.count("Usage: ocr-baseline") == len(commands)
