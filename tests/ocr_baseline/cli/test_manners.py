"""What the command line says to someone who mistypes, asks for help, or presses Tab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.cli.application import COMMANDS
from tests.ocr_baseline.recorded_runs import record
from tests.ocr_baseline.store_files import write_runs

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OCR_BASELINE_STORE", raising=False)


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["shwo"], "No such command 'shwo'. Did you mean show? (see ocr-baseline --help)"),
        (["baseline", "lst"], "Did you mean list? (see ocr-baseline baseline --help)"),
        (["throughput"], "There are run, prove, report,"),
        (["show", "--metric-nams", "x"], "--metric-names"),
        (["check", "run", "--basline", "main"], "--baseline"),
    ],
)
def test_a_mistyped_command_or_option_is_answered_with_what_comes_close(
    arguments: list[str], advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert advice in line


@pytest.mark.parametrize("command", [["trend", "main"], ["check", "run", "--baseline", "main"]])
def test_a_file_of_a_format_that_a_command_lacks_is_refused_before_anything_is_read(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--output", "result.csv"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--output result.csv: no format has this suffix. Choose from .md, .json" in line


@pytest.mark.parametrize("name", ["report.pdf", "report.html.gz"])
def test_a_file_of_an_unknown_format_is_refused(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "run", "--output", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"--output {name}: no format has this suffix. Choose from .csv, .json, .md" in line


def test_show_without_a_run_shows_the_newest_below_the_current_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for written_at, place in enumerate(("outputs/2026-01-01/10-00-00", "multirun/d/t/1", "old")):
        records = record(Path(place), place.replace("/", "-"), 8) / "baseline" / "records"
        os.utime(records / "rank_0.jsonl", (written_at % 2, written_at % 2))

    assert main(["show"]) == 0

    told = capsys.readouterr()
    assert told.err == "The newest run below this folder: multirun/d/t/1\n"
    assert "multirun-d-t-1" in told.out


def test_show_without_a_run_where_there_is_none_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"no run below {Path.cwd()}" in line


def completed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Ask as bash does when Tab is pressed at the end of the last word."""
    monkeypatch.setenv("_OCR_BASELINE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "\n".join(("ocr-baseline", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    return main([])


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (("",), [f"plain,{name}" for name in COMMANDS]),
        (("sh",), ["plain,show"]),
        (("show", "--metric"), ["plain,--metric-names"]),
        (("show", ""), ["file,"]),
        (("show", "out"), ["file,out"]),
        (("show", "ma"), ["plain,main"]),
        (("compare", "main", "fe"), ["plain,feature"]),
        (("check", "run", "--baseline", "m"), ["plain,main"]),
        (("report", "--csv", "met"), ["file,met"]),
        (("report", "run", "--format", "js"), ["plain,json"]),
        (("baseline", "r"), ["plain,rm"]),
        (("baseline", "rm", ""), ["plain,feature", "plain,main"]),
    ],
)
def test_tab_completes_commands_options_files_and_names_of_the_store(
    words: tuple[str, ...],
    answers: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("main", "feature"):
        Path("baselines", name).mkdir(parents=True)

    assert completed(monkeypatch, *words) == 0

    assert capsys.readouterr().out.splitlines() == answers


def test_a_store_at_a_url_is_not_asked_for_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OCR_BASELINE_STORE", "s3://nowhere/at-all")
    assert completed(monkeypatch, "show", "ma") == 0
    assert capsys.readouterr().out.splitlines() == ["file,ma"]


@pytest.mark.slow
def test_bash_completes_after_the_line_that_the_documentation_gives(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "ocr-baseline"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ocr_baseline.cli "$@"\n')
    program.chmod(0o755)
    page = (REPOSITORY / "docs" / "command_line.md").read_text(encoding="utf-8")
    (line,) = [one.strip() for one in page.splitlines() if "bash_source" in one]
    done = subprocess.run(
        [
            "bash", "-c",
            f"{line}\nCOMP_WORDS=(ocr-baseline sh) COMP_CWORD=1\n"
            '_ocr_baseline_completion ocr-baseline; echo "${COMPREPLY[@]}"',
        ],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
        },
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("show", "")


def test_every_command_of_the_registry_is_on_the_page_about_the_command_line() -> None:
    page = (REPOSITORY / "docs" / "command_line.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"ocr-baseline {name}" not in page] == []


@pytest.fixture
def places() -> dict[str, str]:
    """A run of each kind of place that needs neither an extra nor a server."""
    record(Path("recorded"), "recorded", 8)
    write_runs(Path("documents"), 0)
    (logged := Path("logged")).mkdir()
    (logged / "metrics.csv").write_text(
        "epoch,step,performance/val_epoch_time,performance/val_num_batches\n0,1,2.5,4\n"
    )
    assert main(["baseline", "add", "main", "recorded"]) == 0
    return {
        "a run's folder": "recorded",
        "a folder of records": "recorded/baseline/records",
        "a document": "documents/run-0/baseline/baseline.json",
        "a logger's folder": "logged",
        "a logger's file": "logged/metrics.csv",
        "a prefix": "csv:logged",
        "a pattern": "record*",
        "a name": "main",
    }


READS_NO_RUN = {"run", "schema"}
BESIDE_THE_RUN: dict[str, list[str]] = {
    "compare": ["other"],
    "check": ["--baseline", "other"],
    "plot": ["--output", "page.html"],
    "publish": ["--to", "tensorboard:board"],
}
"""What a command needs beside one place."""


@pytest.mark.slow
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in READS_NO_RUN])
def test_every_command_that_reads_a_run_takes_every_kind_of_place(
    command: str, places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    record(Path("other"), "other", 8)
    words = ["baseline", "add", "kept"] if command == "baseline" else [command]

    def refusal(place: str) -> bool:
        """Whether the place isn't read; what a run doesn't hold is another matter."""
        capsys.readouterr()
        main([*words, place, *BESIDE_THE_RUN.get(command, [])])
        return "can't read" in capsys.readouterr().err

    assert refusal("absent")
    assert [kind for kind, place in places.items() if refusal(place)] == []
