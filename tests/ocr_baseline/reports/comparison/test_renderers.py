"""Every renderer of a comparison: golden texts of whole ones, and the ones with holes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from ocr_baseline.comparison.check import Check, check_budgets, parse_budgets
from ocr_baseline.comparison.comparison import Comparison, compare
from ocr_baseline.comparison.drift import trend
from ocr_baseline.comparison.metrics import BY_KEY
from ocr_baseline.comparison.sittings import sittings_of
from ocr_baseline.comparison.summary import RunSummary
from ocr_baseline.model.document import Measurement
from ocr_baseline.reports.comparison.check import (
    render_check_json,
    render_check_markdown,
    render_check_terminal,
)
from ocr_baseline.reports.comparison.exports import (
    render_bencher_metric_format,
    render_comparison_csv,
    render_github_action_benchmark,
)
from ocr_baseline.reports.comparison.json import render_comparison_json
from ocr_baseline.reports.comparison.markdown import render_comparison_markdown
from ocr_baseline.reports.comparison.terminal import render_comparison_terminal
from ocr_baseline.reports.comparison.trend import (
    chart,
    render_trend_markdown,
    render_trend_terminal,
)
from ocr_baseline.reports.comparison.wording import headline, reason_sentences
from tests.ocr_baseline.comparison.measured_runs import IDENTITY, LINES_S, run, runs

FACTORS = (0.985, 1.01, 0.99, 1.015, 1.0)
HOSTILE = "a|b`\n# c <script>\x1b[31m"
BUDGETS = """
[train.throughput]
min = "50 samples/s"
[train.data_wait]
max = "20%"
[validation_over_training]
max = 2
level = "warn"
"""


def slower_metrics() -> Comparison:
    base = [run(i, factor=factor) for i, factor in enumerate(FACTORS)]
    lines_s = {**LINES_S, "metrics": 0.05, "data_wait": 0.008}
    new = [run(10 + i, factor=factor, lines_s=lines_s) for i, factor in enumerate(FACTORS)]
    return compare(base, new)


def with_values(
    which: list[RunSummary], *, whole_run_s: float, validation_s: float | None = None
) -> list[RunSummary]:
    """Give each run a whole duration, and an epoch of validation, times its factor."""
    given = {"run.duration": whole_run_s}
    if validation_s is not None:
        given["validation.epoch_time"] = validation_s
    return [
        replace(one, values={**one.values, **{name: s * factor for name, s in given.items()}})
        for one, factor in zip(which, FACTORS, strict=True)
    ]


def long_lines() -> Comparison:
    lines_s = {"ocr.models.postprocessing.BoxExtractor.__call__": 0.03, "forward": 0.07}
    base = [run(i, factor=factor, lines_s=lines_s) for i, factor in enumerate(FACTORS)]
    slower_s = {**lines_s, "ocr.models.postprocessing.BoxExtractor.__call__": 0.0473}
    new = [run(10 + i, factor=factor, lines_s=slower_s) for i, factor in enumerate(FACTORS)]
    return compare(base, new)


def other_machine() -> Comparison:
    other = run(1, identity={**IDENTITY, "torch": "2.15.0", "cpu_count": 64}, rss_bytes=None)
    return compare([run(0)], [other])


def hostile() -> Comparison:
    odd = run(
        1,
        lines_s={HOSTILE: 0.2},
        identity={**IDENTITY, HOSTILE: HOSTILE},
        measurement=Measurement(warnings=[HOSTILE]),
    )
    plain = run(0, identity={**IDENTITY, HOSTILE: "plain"})
    return compare([plain], [replace(odd, label=HOSTILE)])


def nothing() -> Comparison:
    bare = [replace(run(i), values={}, breakdowns={}) for i in (0, 1)]
    return compare(bare[:1], bare[1:])


COMPARISONS = {
    "sets": slower_metrics,
    "other_machine": other_machine,
    "hostile": hostile,
    "nothing": nothing,
}
TEXTS: dict[str, Callable[[Comparison], str]] = {
    "md": render_comparison_markdown,
    "txt": lambda comparison: render_comparison_terminal(comparison, width=100, color=False),
    "json": render_comparison_json,
    "csv": render_comparison_csv,
    "gha.json": render_github_action_benchmark,
    "bencher.json": render_bencher_metric_format,
}


@pytest.mark.parametrize("suffix", TEXTS)
@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_renders_as_in_its_golden_file(
    name: str, suffix: str, assert_golden: Callable[[str, str], None]
) -> None:
    text = TEXTS[suffix](COMPARISONS[name]())
    assert_golden(f"comparison_{name}.{suffix}", text)


def test_the_headline_says_in_words_what_is_worse_and_what_is_better() -> None:
    assert headline(slower_metrics()) == (
        "Regressions: train median batch +18.0% and 3 more are worse; train waiting for data "
        "-3.22 points is better; 1 unchanged."
    )
    same = compare([run(i) for i in range(5)], [run(10 + i) for i in range(5)])
    assert headline(same) == "No change: 6 unchanged."


def test_the_headline_names_the_whole_run_before_its_parts() -> None:
    base = with_values(
        [run(i, factor=factor) for i, factor in enumerate(FACTORS)], whole_run_s=60.0
    )
    lines_s = {**LINES_S, "metrics": 0.05}
    slower = [run(10 + i, factor=factor, lines_s=lines_s) for i, factor in enumerate(FACTORS)]
    assert re.match(
        r"Regressions: train median batch \S+ and \d more are worse; whole run -50.0% is better",
        headline(compare(base, with_values(slower, whole_run_s=30.0))),
    )
    assert headline(compare(base, with_values(slower, whole_run_s=90.0))).startswith(
        "Regressions: whole run +50.0%, train median batch "
    )


def test_where_parts_go_opposite_ways_the_headline_tells_what_the_whole_run_came_to() -> None:
    base = with_values(
        [run(i, factor=factor) for i, factor in enumerate(FACTORS)],
        whole_run_s=60.0,
        validation_s=4.0,
    )
    lines_s = {**LINES_S, "metrics": 0.05}
    new = [run(10 + i, factor=factor, lines_s=lines_s) for i, factor in enumerate(FACTORS)]
    assert re.search(
        r" are worse; validation epoch -50.0% is better; the whole run and 2 more unchanged\.$",
        headline(compare(base, with_values(new, whole_run_s=60.0, validation_s=2.0))),
    )
    assert headline(compare(base, with_values(new, whole_run_s=60.0, validation_s=4.0))).endswith(
        " are worse; 4 unchanged."
    )


def test_a_suspicion_says_in_which_direction() -> None:
    worse = compare(runs(4), runs(4, slower=0.5, first=10))
    better = compare(runs(4, slower=0.5), runs(4, first=10))
    assert re.match(r"No verdict: train median batch \+\S+%.* may be worse", headline(worse))
    assert re.match(r"No verdict: train median batch -\S+%.* may be better", headline(better))
    assert "suspected worse" in render_comparison_markdown(worse)
    assert "suspected better" in render_comparison_terminal(better, width=100, color=False)


def test_a_comment_shows_what_changed_and_folds_the_rest_away() -> None:
    shown, *folded = render_comparison_markdown(slower_metrics()).split("<details>")
    assert "train: median batch" in shown
    assert "resident memory" not in shown
    assert "resident memory" in "".join(folded)


def test_a_comment_stays_within_its_limit_whatever_the_names() -> None:
    lines_s = {f"{'名' * 120}{number}": 0.001 * number for number in range(1, 300)}
    identity = {f"{'名' * 100}{number}": "值" * 60 for number in range(200)}
    base = run(0, lines_s=lines_s, identity=IDENTITY)
    new = run(1, lines_s=lines_s | LINES_S, identity=IDENTITY | identity)
    assert len(render_comparison_markdown(compare([base], [new])).encode()) <= 20_000


@pytest.mark.parametrize("suffix", ["json", "gha.json", "bencher.json"])
@pytest.mark.parametrize("name", COMPARISONS)
def test_json_is_json_without_nan(name: str, suffix: str) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(TEXTS[suffix](COMPARISONS[name]()), parse_constant=refuse)


@pytest.mark.parametrize("render", [render_comparison_markdown, render_comparison_json])
def test_a_commit_is_told_in_short_and_not_taken_for_a_secret(
    render: Callable[[Comparison], str],
) -> None:
    commits = [hashlib.sha1(name).hexdigest() for name in (b"base", b"new")]  # noqa: S324 - as git does
    base, new = (run(i, volatile={"git_commit": commit}) for i, commit in enumerate(commits))
    text = render(compare([base], [new]))
    assert all(commit[:12] in text for commit in commits)
    assert "redacted" not in text


def test_many_runs_are_told_in_tens() -> None:
    comparison = compare(runs(5, spread=0.25), runs(5, spread=0.25, first=10))
    (sentence,) = reason_sentences(comparison)
    told = re.findall(r"needs about ([\d,]+) runs", sentence)
    assert [int(one.replace(",", "")) % 10 for one in told] == [0] * len(told)
    assert any(int(one.replace(",", "")) > 100 for one in told)


def test_a_reason_stands_once_with_what_each_metric_needs() -> None:
    def noisy(first: int) -> list[RunSummary]:
        spreads = {"train.batch_time": 0.04, "train.sample_time": 0.08, "run.duration": 0.9}
        columns = {
            key: [each.values["train.batch_time"] for each in runs(5, spread=spread, first=first)]
            for key, spread in spreads.items()
        }
        return [
            replace(run(first + i), values={key: column[i] for key, column in columns.items()})
            for i in range(5)
        ]

    (sentence,) = reason_sentences(compare(noisy(0), noisy(10)))
    reason, who = sentence.split(": ")
    metrics = who.split("); ")
    assert reason == (
        "inconclusive (the interval includes both no change and a change beyond the margin)"
    )
    assert re.fullmatch(
        r"train.batch_time \(needs about 2\d runs per side; a quieter machine, longer "
        r"runs or a wider margin would help sooner",
        metrics[0],
    )
    assert re.fullmatch(
        r"train.sample_time \(needs about [789]\d runs per side; a quieter machine, longer runs "
        r"or a wider margin would help sooner",
        metrics[1],
    )
    assert metrics[2] == (
        "run.duration (even 1,000 runs per side would not settle it; a quieter machine, longer "
        "runs or a wider margin may)"
    )


def test_the_trackers_get_the_direction_that_they_are_told() -> None:
    entries = json.loads(render_github_action_benchmark(slower_metrics()))
    assert not any("throughput" in entry["name"] for entry in entries)
    bencher = json.loads(render_bencher_metric_format(slower_metrics()))
    assert "throughput-samples-per-s" in bencher["train"]


def test_hostile_names_break_no_table_and_run_nothing() -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).render(render_comparison_markdown(hostile()))
    assert "<script>" not in html
    assert "<h1>" not in html
    text = render_comparison_terminal(hostile(), width=80, color=False)
    assert "\x1b" not in text


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_narrow_terminal_is_kept(name: str) -> None:
    text = render_comparison_terminal(COMPARISONS[name](), width=70, color=False)
    assert max(map(len, text.splitlines())) <= 70


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_metric_and_no_number_is_cut_at_any_width(width: int) -> None:
    text = render_comparison_terminal(long_lines(), width=width, color=False)
    words = " ".join(text.split())
    assert max(map(len, text.splitlines())) <= width
    for whole in ("train: median batch", "[+15.1%, +19.5%]", "+17.3%", "117 ms", "regression"):
        assert whole in words
    (line,) = [line for line in text.splitlines() if "47.3 ms" in line]
    assert "BoxExtractor.__call__ " in line
    assert line.split()[1:6] == ["30.0", "ms", "47.3", "ms", "+17.3"]


def test_a_reason_that_holds_for_every_metric_names_none() -> None:
    text = render_comparison_terminal(compare([run(0)], [run(1)]), width=200, color=False)
    assert "or a calibration tells it): all 6 metrics\n" in text


def test_a_check_renders_as_in_its_golden_files(
    assert_golden: Callable[[str, str], None],
) -> None:
    comparison = slower_metrics()
    budgets = check_budgets(parse_budgets(BUDGETS, "budgets.toml"), comparison.new.runs)
    check = Check(comparison=comparison, budgets=tuple(budgets))
    assert_golden("check.txt", render_check_terminal(check, width=100, color=False))
    assert_golden("check.md", render_check_markdown(check))
    assert_golden("check.json", render_check_json(check, strict=True))


def test_a_check_of_nothing_says_so() -> None:
    text = render_check_terminal(Check(comparison=None), width=80, color=False)
    assert text == "nothing to check.\n"


def test_a_trend_renders_as_in_its_golden_files(
    assert_golden: Callable[[str, str], None],
) -> None:
    steady = [1 + 0.004 * ((i * 7) % 11 - 5) for i in range(11)]
    runs = [run(i, factor=factor) for i, factor in enumerate(steady)]
    runs += [run(20 + i, factor=1.2 * factor) for i, factor in enumerate(steady)]
    found = trend(BY_KEY["train.batch_time"], runs, sittings_of(runs))
    assert found is not None
    labels = [each.label for each in runs]
    assert_golden("trend.txt", render_trend_terminal([found], labels, width=80, color=False))
    assert_golden("trend.md", render_trend_markdown([found], labels))


def test_a_long_history_is_drawn_within_the_width() -> None:
    runs = [run(i, factor=1 + (i % 7) / 1000) for i in range(300)]
    found = trend(BY_KEY["train.batch_time"], runs, sittings_of(runs))
    assert found is not None
    text = render_trend_terminal([found], [r.label for r in runs], width=80, color=False)
    assert max(map(len, text.splitlines())) <= 80


def test_a_history_of_equal_values_is_one_row() -> None:
    runs = [run(i) for i in range(6)]
    found = trend(BY_KEY["train.batch_time"], runs, sittings_of(runs))
    assert found is not None
    assert chart(found, 40).split() == ["100", "ms", "oooooo"]


def test_no_history_is_said_so() -> None:
    assert "No metric" in render_trend_terminal([], [], width=80, color=False)
