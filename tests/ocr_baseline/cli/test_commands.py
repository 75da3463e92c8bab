"""The commands as a user runs them: real processes, real files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ocr_baseline.model.document_file import json_schema
from ocr_baseline.reports.run.csv import render_metrics_csv
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.reports.run.markdown import render_markdown
from tests.ocr_baseline.examples import full_baseline

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "ocr_baseline.cli")


def run(
    *arguments: str | Path, env: Mapping[str, str] | None = None, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **(env or {})},
        timeout=timeout_s,
        check=False,
    )


def assert_one_error_line(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ocr-baseline: error: ")
    for part in parts:
        assert part in lines[0]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    path.write_text(render_json(full_baseline()), encoding="utf-8")
    return path


def test_report_writes_markdown_on_stdout_and_nothing_else(document: Path) -> None:
    done = run("report", document)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == render_markdown(full_baseline())


def test_report_writes_the_files_that_were_asked_for(document: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    done = run(
        "report", document, "--output", out / "r.md", "--export-json", out / "r.json",
        "--export-csv", out / "r.csv",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["Wrote"] * 3
    assert (out / "r.md").read_text(encoding="utf-8") == render_markdown(full_baseline())
    assert (out / "r.json").read_text(encoding="utf-8") == render_json(full_baseline())
    assert (out / "r.csv").read_text(encoding="utf-8") == render_metrics_csv(full_baseline())


def test_report_writes_in_the_format_that_the_files_name_or_format_says(
    document: Path, tmp_path: Path
) -> None:
    def written(name: str, *arguments: str) -> str:
        done = run("report", document, "-o", tmp_path / name, *arguments)
        assert done.returncode == 0, done.stderr
        return (tmp_path / name).read_text(encoding="utf-8")

    assert written("r.json") == render_json(full_baseline())
    assert written("r.csv") == render_metrics_csv(full_baseline())
    assert written("r.html").startswith("<!")
    assert written("r.txt") == render_markdown(full_baseline())
    assert written("r.md", "--format", "json") == render_json(full_baseline())


def test_report_finds_the_document_in_a_run_folder_without_records(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "baseline"
    folder.mkdir(parents=True)
    (folder / "baseline.json").write_text(render_json(full_baseline()), encoding="utf-8")
    for arguments in (("report", "--run-dir"), ("show",)):
        done = run(*arguments, tmp_path / "run")
        assert done.returncode == 0, done.stderr
        assert "receipts-640" in done.stdout


def test_show_is_plain_when_stdout_is_no_terminal(document: Path) -> None:
    done = run("show", document)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Validation takes 2.8 times as long" in done.stdout
    assert "\x1b" not in done.stdout


def test_show_takes_the_width_from_the_environment(document: Path) -> None:
    done = run("show", document, env={"COLUMNS": "60"})
    assert max(map(len, done.stdout.splitlines())) <= 60


def test_show_survives_an_encoding_without_the_characters(document: Path) -> None:
    done = run("show", document, env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xb5s" in done.stdout


def test_schema_prints_or_writes_the_schema(tmp_path: Path) -> None:
    assert run("schema").stdout == json_schema()
    done = run("schema", "--output", tmp_path / "s.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == json_schema()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["nope"], "nope"),
        (["report"], "Give one run"),
        (["report", "x.json", "--run-id", "a"], "Give one run"),
        (["report", "x.json", "--output", "a", "--export-json", "a"], "a file each"),
        (["report", "--run-id", "a", "--timeout", "0"], "--timeout"),
        (["report", "--run-id"], "--run-id"),
        (["report", "--csv", "a", "--tensorboard", "b"], "Give one run"),
        (["report", "--csv", "a", "--mlflow-uri", "b"], "--mlflow-run"),
        (["plot"], "Give one run"),
        (["show", "x.json", "--nope"], "--nope"),
    ],
)
def test_a_usage_error_is_one_line(arguments: list[str], part: str) -> None:
    assert_one_error_line(run(*arguments), part)


@pytest.mark.parametrize("group", [[], ["baseline"]])
def test_a_group_without_a_command_prints_its_help_and_ends_with_2(group: list[str]) -> None:
    done = run(*group)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == run(*group, "--help").stdout
    assert len(done.stderr.splitlines()) > 10


@pytest.mark.parametrize("command", ["report", "show", "plot"])
def test_an_option_that_says_nothing_of_the_run_is_refused(
    document: Path, tmp_path: Path, command: str
) -> None:
    names = tmp_path / "names.yaml"
    names.write_text("my/val_s: performance/val_epoch_time\n")
    for option, value, part in (
        ("--project", "p", "--run-id"),
        ("--mlflow-uri", "b", "--mlflow-run"),
        ("--metric-names", names, "logged metrics"),
    ):
        assert_one_error_line(run(command, document, option, value), option, part)


def test_input_that_can_not_be_read_is_one_line(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello\nworld")
    assert_one_error_line(run("show", text), "notes.txt", "not JSON")
    assert_one_error_line(run("show", tmp_path / "absent"), "absent")
    assert_one_error_line(run("report", "--run-dir", tmp_path / "absent"), "absent")
    assert_one_error_line(run("report", "--run-dir", text), "notes.txt", "isn't a folder")
    assert_one_error_line(run("report", "--run-dir", tmp_path), tmp_path.name, "records")


@pytest.fixture
def metrics_csv(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,my/val_s,performance/val_num_batches\n0,2.5,4\n")
    return path


@pytest.mark.parametrize("command", ["report", "show"])
def test_a_loggers_file_is_read_under_names_of_the_users_own(
    metrics_csv: Path, tmp_path: Path, command: str
) -> None:
    names = tmp_path / "names.yaml"
    names.write_text("my/val_s: performance/val_epoch_time\n")

    done = run(command, "--csv", metrics_csv, "--metric-names", names)

    assert (done.returncode, done.stderr) == (0, "")
    assert "2.50 s" in done.stdout


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("my/val_s: performance/nothing", "isn't a known key"),
        ("[my/val_s]", "not a mapping"),
        ("my/val_s: 3", "not a mapping"),
        ("{", "can't read"),
        (None, "can't read"),
    ],
)
def test_names_that_can_not_be_used_are_one_line(
    metrics_csv: Path, tmp_path: Path, text: str | None, part: str
) -> None:
    names = tmp_path / "names.yaml"
    if text is not None:
        names.write_text(text)

    assert_one_error_line(run("show", "--csv", metrics_csv, "--metric-names", names), part)


@pytest.mark.parametrize("option", ["--csv", "--tensorboard", "--wandb-file"])
def test_a_logger_folder_that_is_absent_is_one_line(tmp_path: Path, option: str) -> None:
    assert_one_error_line(run("report", option, tmp_path / "absent"), "absent")


def wandb_settings(port: int, folder: Path) -> dict[str, str]:
    folders = ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR", "HOME")
    return {
        "WANDB_BASE_URL": f"http://127.0.0.1:{port}",
        "WANDB_API_KEY": "0" * 40,
        **dict.fromkeys(folders, str(folder)),
    }


def test_a_wandb_server_that_can_not_be_reached_is_one_line_and_soon_told(
    tmp_path: Path,
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    env = wandb_settings(port, tmp_path)
    started = time.monotonic()
    done = run("report", "--run-id", "a1b2", "--project", "p", "--entity", "e", env=env)
    assert time.monotonic() - started < 60
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "Reading run a1b2 from Weights & Biases"
    assert [line.startswith("ocr-baseline: error: ") for line in lines[1:]] == [True], lines


def test_output_that_can_not_be_written_is_one_line(document: Path, tmp_path: Path) -> None:
    assert_one_error_line(run("report", document, "--output", document / "r.md"), "r.md")
    assert_one_error_line(run("report", document, "--output", tmp_path), "--output")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_stdout_is_one_line(document: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "report", str(document)],
            stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "ocr-baseline: error: can't write to stdout: No space left on device"
    ]


def test_a_reader_that_goes_away_gets_no_complaint(document: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run(
            [*COMMAND, "report", str(document)],
            stdout=closed, stderr=subprocess.PIPE, encoding="utf-8", check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_regular_file_is_one_line_and_never_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    assert_one_error_line(run("show", pipe), "pipe.json", "isn't a regular file")


def test_ctrl_c_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(
            [*COMMAND, "show", "wandb:e/p/a1b2", "--timeout", "60"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            env={**os.environ, **wandb_settings(silent.getsockname()[1], tmp_path)},
        )  # fmt: skip
        assert process.stderr is not None
        first = process.stderr.readline()
        silent.settimeout(60)
        silent.accept()[0].close()  # the command is in the middle of its reading
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert first == "Reading run e/p/a1b2 from Weights & Biases\n"
    assert process.returncode == 130
    assert stderr.splitlines() == ["ocr-baseline: error: interrupted"]


@pytest.mark.parametrize("arguments", [[], ["report"], ["show"], ["schema"]])
def test_help_loads_none_of_the_engine(arguments: list[str]) -> None:
    program = (
        "import sys; from ocr_baseline.cli import main;"
        "status = main([*sys.argv[1:], '--help']);"
        "heavy = {'pydantic', 'numpy', 'rich', 'jinja2', 'scipy', 'torch', 'lightning', 'wandb'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    assert "Usage: ocr-baseline" in done.stdout


def test_the_version_is_printed() -> None:
    assert run("--version").stdout.startswith("ocr-baseline, version ")


def test_a_document_of_a_newer_version_is_one_line(document: Path) -> None:
    content = json.loads(document.read_text(encoding="utf-8")) | {"schema_version": "9.0"}
    document.write_text(json.dumps(content), encoding="utf-8")
    assert_one_error_line(run("report", document), "9.0", "upgrade")
