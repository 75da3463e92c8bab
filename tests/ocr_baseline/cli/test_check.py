"""`ocr-baseline check`: the exit status is the interface."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from tests.ocr_baseline.comparison.measured_runs import IDENTITY, baseline
from tests.ocr_baseline.store_files import FACTORS, write, write_runs
from tests.ocr_baseline.trials.scripts import script

HISTORY = tuple(1 + 0.004 * ((i * 7) % 11 - 5) for i in range(11))


@pytest.fixture(autouse=True)
def in_a_folder_with_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("OCR_BASELINE_STORE", raising=False)
    write_runs(tmp_path / "old", 0)
    write_runs(tmp_path / "same", 20, factors=FACTORS[::-1])
    write_runs(tmp_path / "slow", 40, slower=0.1)


def test_0_when_nothing_is_worse(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "same", "--baseline", "old"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 passed."


def test_0_with_strict_when_everything_is_settled() -> None:
    assert main(["check", "same", "--baseline", "old", "--strict"]) == 0


def test_1_for_a_confirmed_regression_with_expected_found_and_all_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["check", "slow", "--baseline", "old"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "FAIL train.batch_time: expected at most 5.0% more than 100 ms, found 110 ms: +10.0% ["
    )
    assert lines[0].endswith("regression")
    assert lines[1].strip() == (
        "base 98.5 ms, 101 ms, 99.0 ms, 101 ms, 100 ms; new 108 ms, 111 ms, 109 ms, 112 ms, 110 ms"
    )
    assert "Training: +10.0 ms per batch: +6.00 ms forward" in "\n".join(lines)


def test_strict_does_not_hide_a_regression() -> None:
    assert main(["check", "slow", "--baseline", "old", "--strict"]) == 1


def test_a_margin_decides_what_is_worse() -> None:
    margins = ["--margin", "batch_time=20%", "--margin", "sample_time=20%"]
    assert main(["check", "slow", "--baseline", "old", *margins]) == 0


def test_only_gated_metrics_fail() -> None:
    assert main(["check", "slow", "--baseline", "old", "--gate", "memory.peak_rss"]) == 0
    assert main(["check", "slow", "--baseline", "old", "--gate", "*.throughput"]) == 1


def test_single_runs_are_0_and_with_strict_3(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["check", "slow/run-40", "--baseline", "old/run-0"]
    assert main(arguments) == 0
    assert "1 v 1 runs say too little" in " ".join(capsys.readouterr().out.split())
    assert main([*arguments, "--strict"]) == 3


def test_another_machine_is_0_and_with_strict_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, baseline(70, identity={**IDENTITY, "cpu_count": 64}))
    assert main(["check", "run-70", "--baseline", "old"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "Not comparable: cpu_count is 2 in the base and 64 in the new runs."
    assert main(["check", "run-70", "--baseline", "old", "--strict"]) == 3


def test_a_metric_that_is_missing_on_one_side_is_reported_and_with_strict_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i, factor in enumerate(FACTORS):
        write(tmp_path / "bare", baseline(60 + i, factor=factor, rss_bytes=None))
    assert main(["check", "bare", "--baseline", "old"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "memory.peak_rss: expected a value on both sides, found not measured in the new" in text
    assert main(["check", "bare", "--baseline", "old", "--strict"]) == 3


def budget(tmp_path: Path, text: str) -> str:
    path = tmp_path / "budgets.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_broken_budget_is_1_without_any_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = budget(tmp_path, '[train.throughput]\nmin = "50 samples/s"')
    assert main(["check", "old", "--budget", file]) == 1
    line = capsys.readouterr().out.splitlines()[0]
    assert line == (
        "FAIL budget train.throughput: expected at least 50.0 samples/s, found 40.0 samples/s"
    )


def test_a_budget_that_only_warns_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = budget(tmp_path, '[train.data_wait]\nmax = "1%"\nlevel = "warn"')
    assert main(["check", "old", "--budget", file, "--strict"]) == 0
    assert capsys.readouterr().out.startswith("warn budget train.data_wait")


def test_a_budget_of_what_was_not_measured_is_0_and_with_strict_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = budget(tmp_path, "[validation_over_training]\nmax = 2")
    assert main(["check", "old", "--budget", file]) == 0
    assert "found not measured" in capsys.readouterr().out
    assert main(["check", "old", "--budget", file, "--strict"]) == 3


@pytest.mark.parametrize(
    ("text", "part"),
    [("[train.speed]\nmax = 1", "no metric"), ("nope", "not TOML"), ("", "no budget")],
)
def test_a_wrong_budget_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, part: str
) -> None:
    assert main(["check", "old", "--budget", budget(tmp_path, text)]) == 2
    assert part in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "old"],
        ["check", "nowhere", "--baseline", "old"],
        ["check", "old", "--baseline", "nowhere"],
        ["check", "old", "--budget", "absent.toml"],
        ["check", "old", "--baseline", "same", "--output", "x", "--export-json", "x"],
    ],
)
def test_usage_errors_and_unreadable_input_are_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert (captured.out, len(captured.err.splitlines())) == ("", 1)


def test_a_named_history_judges_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_runs(tmp_path / "history", 100, factors=HISTORY)
    assert main(["baseline", "add", "main", "history"]) == 0
    write(tmp_path, baseline(200, factor=1.01))
    write(tmp_path, baseline(201, factor=1.2))
    assert main(["check", "run-200", "--baseline", "main", "--strict"]) == 0
    assert main(["check", "run-201", "--baseline", "main"]) == 1
    assert main(["baseline", "accept", "main", "run-201"]) == 0
    write(tmp_path, baseline(202, factor=1.21))
    assert main(["check", "run-202", "--baseline", "main"]) == 0


def test_a_calibration_kept_with_a_name_settles_single_runs(tmp_path: Path) -> None:
    # A name of the store comes before a folder of that name.
    (tmp_path / "main").mkdir()
    write_runs(tmp_path / "equal", 100, factors=HISTORY)
    assert main(["baseline", "add", "main", "old/run-0"]) == 0
    assert main(["calibrate", "equal", "--name", "main"]) == 0
    write(tmp_path, baseline(201, factor=1.2))
    assert main(["check", "run-201", "--baseline", "main"]) == 1


def test_a_damaged_file_in_the_store_is_2_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["baseline", "add", "main", "old"]) == 0
    file = next((tmp_path / "baselines" / "main").iterdir())
    file.write_text("{")
    capsys.readouterr()
    assert main(["check", "same", "--baseline", "main"]) == 2
    assert file.name in capsys.readouterr().err
    assert main(["baseline", "list", "main"]) == 0
    assert f"{file.name}: damaged" in capsys.readouterr().out
    assert main(["baseline", "rm", "main", file.name]) == 0
    assert main(["check", "same", "--baseline", "main"]) == 0


def test_the_outcome_is_written_for_a_pull_request_and_for_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = ["--output", "c.md", "--export-json", "c.json"]
    assert main(["check", "slow", "--baseline", "old", *outputs]) == 1
    markdown = (tmp_path / "c.md").read_text(encoding="utf-8")
    assert markdown.startswith("<!-- ocr-baseline comparison -->\n\n## Performance check: 2 failed")
    document = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert (document["exit_status"], document["metrics"][0]["state"]) == (1, "fail")
    assert document["comparison"]["design"] == "set against set"


def test_a_crash_is_2_and_never_looks_like_a_regression(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ocr_baseline.comparison import comparison

    def crash(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(comparison, "compare", crash)
    assert main(["check", "same", "--baseline", "old"]) == 2
    assert "a bug" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "status"), [("1", 0), ("1.2", 1)])
def test_runs_made_anew_decide_before_a_gate_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    factor: str,
    status: int,
) -> None:
    monkeypatch.setenv("FACTOR", factor)
    confirm = ["--confirm", shlex.join(script(tmp_path)), "--wait", "0"]
    assert main(["check", "slow", "--baseline", "old", *confirm]) == status
    captured = capsys.readouterr()
    assert "the runs given failed (train.batch_time, train.sample_time)" in captured.err
    assert "those made anew decide" in captured.out
    assert len(list((tmp_path / "confirm").glob("confirm-*"))) == 5


def test_nothing_is_run_anew_where_nothing_failed(tmp_path: Path) -> None:
    assert main(["check", "same", "--baseline", "old", "--confirm", "touch ran"]) == 0
    assert not (tmp_path / "ran").exists()


def test_a_history_that_moved_is_said_so_by_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    write_runs(tmp_path / "history", 100, slower=0.2, factors=HISTORY)
    write_runs(tmp_path / "history", 120, factors=HISTORY)
    assert main(["baseline", "add", "main", "history"]) == 0
    write(tmp_path, baseline(200, factor=1.1))
    assert main(["check", "run-200", "--baseline", "main"]) == 1
    out = capsys.readouterr().out
    assert "Note: the base's level moved at main/run-120" in out
    assert "train.batch_time -16.7% (better)" in out


def test_sittings_can_be_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for first, slower in ((300, 0.0), (310, 0.2)):
        for i, factor in enumerate(FACTORS):
            made = baseline(first + i, factor=(1 + slower) * factor, minutes=first + i)
            write(tmp_path / f"job-{first}", made)
    arguments = ["check", "job-310", "--baseline", "job-300"]
    assert main(arguments) == 0
    assert "take turns" in " ".join(capsys.readouterr().out.split())
    assert main([*arguments, "--sittings", "run"]) == 1
