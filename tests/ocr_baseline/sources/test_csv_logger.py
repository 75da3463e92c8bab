"""CSV files of logged metrics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ocr_baseline.errors import SourceError
from ocr_baseline.reports.run.csv import render_metrics_csv
from ocr_baseline.reports.run.json import render_json
from ocr_baseline.sources import csv_table
from ocr_baseline.sources.csv_logger import load
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.examples import full_baseline

if TYPE_CHECKING:
    from pathlib import Path

    from ocr_baseline.model.run import Run

HEADER = "epoch,step,loss,performance/val_epoch_time,performance/val_batch_mean\n"


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _times(run: Run) -> list[float | None]:
    return [epoch.epoch_time_s for record in run.stages for epoch in record.reported]


def test_a_csv_loggers_folder_is_read_with_its_hyperparameters(tmp_path: Path) -> None:
    loggers = pytest.importorskip("lightning.pytorch.loggers")
    logger = loggers.CSVLogger(tmp_path, name="receipts", prefix="exp")
    logger.log_hyperparams({"lr": 0.1, "api_key": "x"})
    logger.log_metrics({"loss": 0.5, "epoch": 0}, step=3)
    logger.log_metrics({"performance/val_epoch_time": 2.5, "epoch": 0}, step=3)
    logger.log_metrics({"performance/val_num_batches": 8.0, "epoch": 0}, step=3)
    logger.log_metrics({"performance/val_epoch_time": 3.5, "epoch": 1}, step=7)
    logger.finalize("success")

    run = load(tmp_path)

    assert run.info.source == "csv"
    assert run.config == {"lr": 0.1, "api_key": "<redacted>"}
    (record,) = run.stages
    assert record.stage is Stage.VALIDATION
    first, second = record.reported
    assert (first.epoch, first.step, first.epoch_time_s, first.num_batches) == (0, 3, 2.5, 8)
    assert (second.epoch, second.epoch_time_s) == (1, 3.5)


def test_an_empty_cell_is_absent_and_a_logged_nan_is_told(tmp_path: Path) -> None:
    file = _write(tmp_path / "metrics.csv", HEADER + "0,1,0.5,,\n0,1,,nan,\n1,2,,2.0,0.5\n")

    run = load(file)

    assert _times(run) == [None, 2.0]
    failed = {entry.metric for entry in run.missing if entry.reason == "failed"}
    assert failed == {"phases.validation.total_s"}


@pytest.mark.parametrize("cell", ["nan", "text"])
@pytest.mark.parametrize("place", [0, 15, 24])
def test_what_is_no_number_anywhere_in_a_long_file_costs_no_other_row(
    cell: str, place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "ROWS_AT_ONCE", 100)
    rows = [f"{row},{row},0.5,,\n" for row in range(250)]
    for epoch in range(25):
        rows[epoch * 10] = f"{epoch},{epoch},,{cell if epoch == place else epoch + 0.5},\n"

    times = _times(load(_write(tmp_path / "metrics.csv", HEADER + "".join(rows))))

    assert times == [None if epoch == place else epoch + 0.5 for epoch in range(25)]


def test_a_byte_order_mark_before_the_header_is_no_part_of_a_name(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    file.write_text("performance/val_epoch_time,epoch\n2.0,0\n", encoding="utf-8-sig")

    assert _times(load(file)) == [2.0]


def test_the_newest_of_several_versions_is_read_and_told(tmp_path: Path) -> None:
    for version, time_s in ((2, 2.0), (10, 10.0)):
        _write(tmp_path / f"version_{version}" / "metrics.csv", HEADER + f"0,1,,{time_s},\n")

    run = load(tmp_path)

    assert _times(run) == [10.0]
    assert any("version_10 was read" in warning for warning in run.measurement.warnings)


def test_the_last_row_of_a_file_cut_off_within_a_line_is_left_out_and_told(tmp_path: Path) -> None:
    file = _write(tmp_path / "metrics.csv", HEADER + "0,1,,2.0,0.5\n1,2,,1")

    run = load(file)

    assert _times(run) == [2.0]
    assert any("last row was left out" in warning for warning in run.measurement.warnings)


def test_cells_beyond_the_header_shift_no_other(tmp_path: Path) -> None:
    run = load(_write(tmp_path / "metrics.csv", HEADER + "0,1,,2.0,0.5,9,9\n"))

    assert _times(run) == [2.0]


def test_a_file_without_performance_keys_gives_a_run_that_says_so(tmp_path: Path) -> None:
    run = load(_write(tmp_path / "metrics.csv", "epoch,step,loss\n0,1,0.5\n"))

    assert run.stages == ()
    assert "phases.validation" in {entry.metric for entry in run.missing}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "the file is empty"),
        (b"shop,total\nA,1\n", "not a CSV of logged metrics"),
        (HEADER.encode() + b'0,1,"2,3,4\n', "can't be read as CSV"),
        (b"step,performance/val_epoch_time\n1,\xff\xfe\n", "can't be read as CSV"),
    ],
)
def test_a_file_that_is_no_csv_of_metrics_is_named_with_the_cause(
    tmp_path: Path, content: bytes, cause: str
) -> None:
    file = tmp_path / "metrics.csv"
    file.write_bytes(content)

    with pytest.raises(SourceError, match=f"{re.escape(str(file))}.*{cause}"):
        load(file)


def test_a_folder_without_metrics_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"holds no CSV metrics \(metrics.csv\)"):
        load(tmp_path)


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: there is no such file or folder"):
        load(tmp_path / "nowhere")


def test_hyperparameters_that_cannot_be_read_are_missing_with_the_cause(tmp_path: Path) -> None:
    file = _write(tmp_path / "metrics.csv", HEADER + "0,1,,2.0,\n")
    _write(tmp_path / "hparams.yaml", "a: !!python/object:x.Y {}\n")

    run = load(file)

    assert run.config is None
    (reason,) = [entry.reason for entry in run.missing if entry.metric == "config"]
    assert reason == "failed"


@pytest.mark.parametrize(
    ("text", "times", "note"),
    [
        (
            "epoch,step,{key}\n0,9,10.0\nepoch,step,{key}\n1,19,11.0\n",
            [10, 11],
            "header comes again",
        ),
        (
            "epoch,step,{key}\n0,9,10.0\nstep,{key},epoch\n19,11.0,1\n",
            [10, 11],
            "header comes again",
        ),
        ("epoch,step,{key}\n0,9,10.0\nNaN,19,11.0\n2,29,12.0\n", [10, 11, 12], "isn't a number"),
        ("epoch,step,{key}\n0,NA,10.0\n1,None,11.0\n", [10, 11], "isn't a number"),
        ("epoch, step, {key}\n0, 9, 10.0\n1, 19, 11.0\n", [10, 11], None),
        (" epoch ;step\t; {key} \n0;9;10.0\n1;19;11.0\n", [10, 11], None),
        ("epoch\tstep\t{key}\n0\t9\t10.0\n", [10], None),
        ("epoch,step,{key},\n0,9,10.0,\n1,19,11.0,\n", [10, 11], None),
        ('"epoch","step","{key}"\n"0","9","10.0"\n', [10], None),
        ("\nepoch,step,{key}\n\n0,9,10.0\n   \n\n1,19,11.0\n\n", [10, 11], None),
        ("# run of Monday\nepoch,step,{key}\n0,9,10.0\n", [10], "before the header"),
        ("epoch,{key},{key}\n0,10.0,99.0\n", [10], "Several columns"),
        ("epoch,step,{key}\n0,9,nan\n1,19,11.0,7\n", [None, 11], "beyond the header"),
        ("epoch,step,{key}\n0,9,nan\n1,19,11.0\n2,29,1", [None, 11], "last row was left out"),
        ('epoch,step,{key}\n0,9,"1,234"\n1,19,11.0\n', [None, 11], None),
        ("epoch;step;{key}\n0;9;10,5\n1;19;11.0\n", [None, 11], None),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_that_is_nearly_right_is_read_with_a_note(
    text: str,
    times: list[float | None],
    note: str | None,
    encoding: str,
    line_end: str,
    tmp_path: Path,
) -> None:
    file = tmp_path / "metrics.csv"
    whole = text.format(key="performance/val_epoch_time").replace("\n", line_end)
    file.write_bytes(whole.encode(encoding))

    run = load(file)

    assert _times(run) == times
    assert any(note in warning for warning in run.measurement.warnings) if note else True


def test_what_a_file_without_known_columns_begins_with_is_told(tmp_path: Path) -> None:
    file = _write(tmp_path / "metrics.csv", "Step,run - performance\n1,2\n")
    with pytest.raises(SourceError, match="begins with 'Step,run - performance'"):
        load(file)


def test_the_numbers_of_our_own_report_are_never_taken_for_a_loggers(tmp_path: Path) -> None:
    report = tmp_path / "baseline"
    _write(report / "metrics.csv", render_metrics_csv(full_baseline()))
    _write(report / "baseline.json", render_json(full_baseline()))
    with pytest.raises(SourceError, match="holds no CSV metrics"):
        load(tmp_path)

    _write(tmp_path / "lightning_logs" / "version_0" / "metrics.csv", HEADER + "0,1,,2.0,\n")

    assert _times(load(tmp_path)) == [2.0]


def test_a_file_without_a_loggers_columns_is_passed_over_while_others_remain(
    tmp_path: Path,
) -> None:
    _write(tmp_path / "metrics.csv", "name,value\naccuracy,0.9\n")
    with pytest.raises(SourceError, match="no column step, epoch"):
        load(tmp_path)

    _write(tmp_path / "version_0" / "metrics.csv", HEADER + "0,1,,2.0,\n")

    assert _times(load(tmp_path)) == [2.0]
