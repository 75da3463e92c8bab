"""The Python API on real files, as a notebook or a script uses it."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

import ocr_baseline as ob
from ocr_baseline.model.frames import TableName
from tests.ocr_baseline.examples import empty_baseline, full_baseline
from tests.ocr_baseline.recorded_runs import record
from tests.ocr_baseline.store_files import write_runs

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OCR_BASELINE_STORE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)


def test_every_promised_name_is_there_and_no_module_can_take_its_place() -> None:
    modules = {module.name for module in pkgutil.iter_modules(ob.__path__)}

    assert all(getattr(ob, name) is not None for name in ob.__all__)
    assert modules.isdisjoint(ob.__all__)
    assert {name for name in dir(ob) if not name.startswith("__")} == set(ob.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        getattr(ob, "nothing")  # noqa: B009 - a name that types don't know


def test_a_run_is_read_and_analyzing_it_gives_its_baseline() -> None:
    record(Path("run"), "a", 4)

    run = ob.read_run("run")
    baseline = ob.read(Path("run"))

    assert run.stages[0].batches is not None
    assert len(run.stages[0].batches.duration_s) == 4
    assert ob.analyze(run).phases == baseline.phases


def test_a_document_has_no_run_and_says_so() -> None:
    (folder, *_) = write_runs(Path("old"), 0)

    assert ob.read(folder).run.id == "run-0"
    with pytest.raises(ob.BaselineError, match=r"use read\(\)"):
        ob.read_run(folder)


def test_metric_names_count_for_a_read() -> None:
    Path("metrics.csv").write_text("epoch,my/val_s\n0,2.5\n")

    baseline = ob.read("metrics.csv", metric_names={"my/val_s": "performance/val_epoch_time"})

    assert [phase.total_s for phase in baseline.phases] == [2.5]
    with pytest.raises(ob.BaselineError, match="isn't a known key"):
        ob.read("metrics.csv", metric_names={"my/val_s": "nothing"})


def test_records_and_a_document_that_disagree_are_a_warning() -> None:
    record(Path("run"), "a", 4)
    Path("run/baseline/baseline.json").write_text(ob.render(full_baseline(), "json"))

    with pytest.warns(UserWarning, match="the records were read"):
        baseline = ob.read("run")

    assert baseline.run.id == "a"


def test_sides_are_places_documents_or_several_of_both() -> None:
    old, new = write_runs(Path("old"), 0), write_runs(Path("new"), 10, slower=0.1)
    by_place = ob.compare("old", "new")

    mixed = [ob.read(run) for run in new[2:]]
    for comparison in (
        ob.compare(Path("old"), "new/*"),
        ob.compare(map(ob.read, old), [*new[:1], str(new[1]), *mixed]),
    ):
        assert [m.verdict for m in comparison.metrics] == [m.verdict for m in by_place.metrics]
    assert "train.batch_time" in [m.metric.key for m in by_place.with_verdict("regression")]
    wide = ob.compare("old", "new", margins={"batch_time*": "20%"}, gates=["batch_time*"])
    assert "train.batch_time" not in [m.metric.key for m in wide.with_verdict("regression")]
    assert not ob.compare(old[0], new[0]).with_verdict("regression")


def test_a_check_takes_a_base_budgets_or_both() -> None:
    write_runs(Path("old"), 0)
    write_runs(Path("new"), 10, slower=0.1)
    Path("wide.toml").write_text('[train.batch_time]\nmax = "1 s"\n')

    assert ob.check("new", base="old").exit_status(strict=False) == 1
    assert ob.check("new", budgets="wide.toml").exit_status(strict=True) == 0
    both = ob.check("new", base="old", budgets=Path("wide.toml"))
    assert (both.comparison is not None, len(both.budgets)) == (True, 1)
    with pytest.raises(ob.BaselineError, match="base, budgets or both"):
        ob.check("new")


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"margins": {"batch_tme": "5%"}}, "did you mean batch_time"),
        ({"gates": ["speed"]}, "no metric 'speed'"),
        ({"calibration": "absent.json"}, "absent.json"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_read(wrong: Any, part: str) -> None:
    with pytest.raises(ob.BaselineError, match=part):
        ob.compare("nowhere", "nowhere", **wrong)


def test_tables_are_frames_in_the_documents_units() -> None:
    baseline = full_baseline()

    phases, lines = baseline.to_frame("phases"), baseline.to_frame("breakdown")

    assert list(phases["name"]) == [phase.name for phase in baseline.phases]
    assert phases["batch_time_s.median"].dtype == float
    train = baseline.phase("train")
    assert train is not None
    own = lines[(lines["phase"] == "train") & lines["dataloader"].isna()]
    assert dict(zip(own["line"], own["total_s"], strict=True)) == {
        line.name: line.total_s for line in train.breakdown
    }
    for table in get_args(TableName):
        assert isinstance(baseline.to_frame(table), pd.DataFrame)
    assert list(baseline.to_frame("findings")["id"]) == [f.id for f in baseline.ranked_findings]


def test_an_unknown_table_is_an_error_that_lists_them_and_an_empty_one_has_no_rows() -> None:
    with pytest.raises(ob.BaselineError, match="choose from phases, breakdown, functions, epochs"):
        full_baseline().to_frame("batches")  # type: ignore[arg-type]
    assert len(empty_baseline().to_frame("breakdown")) == 0


@pytest.mark.parametrize("table", get_args(TableName))
def test_a_table_has_the_same_columns_whether_rows_are_in_it_or_not(table: TableName) -> None:
    empty, full = empty_baseline().to_frame(table), full_baseline().to_frame(table)

    assert list(empty.columns) == list(full.columns) != []


def test_the_line_of_a_breakdown_stands_beside_its_phase() -> None:
    assert list(full_baseline().to_frame("breakdown").columns)[:2] == ["phase", "line"]


@pytest.mark.parametrize("place", [3, None, ["a"], b"a"])
def test_what_is_no_place_is_refused_in_one_sentence(place: Any) -> None:
    message = rf"^a place is a str or a pathlib.Path, not {type(place).__name__}$"
    for read in (ob.read, ob.read_run):
        with pytest.raises(TypeError, match=message):
            read(place)
    with pytest.raises(TypeError, match=message):
        ob.compare("old", [place])


def test_an_empty_place_is_refused_as_empty() -> None:
    with pytest.raises(ob.BaselineError, match="the place is empty"):
        ob.read("")


@pytest.mark.parametrize(
    ("given", "part"), [("path", "str: read_run"), (full_baseline(), "what it returns")]
)
def test_only_a_run_is_analyzed(given: Any, part: str) -> None:
    with pytest.raises(TypeError, match=f"^analyze takes a Run, not .*{part}"):
        ob.analyze(given)


def test_one_gate_and_one_field_may_be_plain_names() -> None:
    write_runs(Path("old"), 0)
    write_runs(Path("new"), 10, slower=0.1)

    plain = ob.compare("old", "new", gates="train.throughput", across="num_workers")
    listed = ob.compare("old", "new", gates=["train.throughput"], across=["num_workers"])

    assert [m.verdict for m in plain.metrics] == [m.verdict for m in listed.metrics]
    assert {m.metric.key for m in plain.metrics if m.metric.is_gated} == {"train.throughput"}


@pytest.mark.parametrize("size", [5, "5"])
def test_a_margin_without_a_unit_is_asked_about(size: Any) -> None:
    with pytest.raises(ob.BaselineError, match="did you mean 5%"):
        ob.compare("nowhere", "nowhere", margins={"batch_time": size})


def test_names_of_no_phase_and_no_verdict_are_errors_that_list_them() -> None:
    runs = write_runs(Path("old"), 0)
    with pytest.raises(ob.BaselineError, match="no phase 'val': choose from train, validation"):
        ob.read(runs[0]).phase("val")
    comparison: Any = ob.compare(runs[0], runs[1])
    with pytest.raises(ob.BaselineError, match="no verdict 'worse': choose from regression"):
        comparison.with_verdict("worse")


def test_one_operation_may_be_a_plain_name_and_an_order_of_sources_is_a_list() -> None:
    profiler = ob.PerformanceProfilerCallback(operations="cv2.findContours")

    assert profiler.operations == ("cv2.findContours",)
    with pytest.raises(ob.BaselineError, match="a list is needed"):
        ob.BaselineReportCallback(sources="csv")


def test_a_baseline_shows_itself_in_one_line_and_in_a_notebook_as_its_report() -> None:
    baseline = full_baseline()

    assert repr(baseline) == str(baseline)
    assert repr(baseline).startswith("<Baseline of 'receipts-640' from recorder: train ")
    assert len(repr(baseline).splitlines()) == 1
    assert baseline._repr_markdown_() == ob.render(baseline, "markdown")
    assert _framed(baseline._repr_html_()) == ob.render(baseline, "html")


def test_a_comparison_shows_itself_in_a_notebook() -> None:
    other_run = replace(full_baseline().run, id="other", name="other")
    compared = ob.compare(full_baseline(), full_baseline().model_copy(update={"run": other_run}))

    assert compared._repr_markdown_() == ob.render(compared, "markdown")
    assert _framed(compared._repr_html_()) == ob.render(compared, "html")


def _framed(shown: str) -> str | None:
    """The page in a notebook's frame, as a browser reads the attribute."""
    frames: list[dict[str, str | None]] = []

    class Frames(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            frames.append(dict(attrs))

    Frames().feed(shown)
    assert frames[0]["sandbox"] == "allow-scripts allow-popups"
    return frames[0]["srcdoc"]


@pytest.mark.slow
def test_mypy_accepts_the_right_uses_and_refuses_the_wrong_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "tests/typing/python_api.py"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


def test_the_functions_of_lines_and_workers_are_a_table() -> None:
    frame = full_baseline().to_frame("functions")
    assert list(frame["name"]) == ["Metric.update", "Metric.match", "Receipts.__getitem__"]
    assert list(frame["of_line"]) == ["metrics", "metrics", "fetch"]
    assert list(frame["process"]) == ["main", "main", "worker"]
    assert list(frame["inclusive_share"]) == [0.97, 0.71, 0.9]
