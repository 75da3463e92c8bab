from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ocr_baseline.model.document import (
    Baseline,
    BreakdownLine,
    Distribution,
    Phase,
    Ratio,
    TrainVsValidation,
    WaterfallStep,
)
from ocr_baseline.reports.run.markdown import render_markdown
from tests.ocr_baseline.examples import (
    EXAMPLES,
    GENERATED_AT,
    GENERATOR,
    all_missing_baseline,
    empty_baseline,
    full_baseline,
    hostile_baseline,
    one_batch_baseline,
)

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
SECTIONS = ["Identified Bottlenecks", "Validation Performance", "Phases", "Memory Usage"]
FOLDED = [
    "Where the time went",
    "Epochs",
    "Before the first batch",
    "Slowest operations",
    "What was not measured",
    "How it was measured",
    "Environment",
]


def headings(markdown: str, tag: str) -> list[str]:
    tokens = PARSER.parse(markdown)
    return [
        "".join(child.content for child in tokens[index + 1].children or [])
        for index, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == tag
    ]


def all_tokens(markdown: str) -> list[Token]:
    tokens = PARSER.parse(markdown)
    return [*tokens, *(child for token in tokens for child in token.children or [])]


def folded(markdown: str) -> list[str]:
    return re.findall(r"<summary>(.*)</summary>", markdown)


def section(markdown: str, title: str) -> str:
    """Return what stands under a heading, or is folded away under a title."""
    opening = f"<summary>{title}</summary>"
    if opening in markdown:
        return markdown.split(opening)[1].split("</details>")[0]
    return markdown.split(f"## {title}\n")[1].split("\n## ")[0].split("\n<details>")[0]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def row_of(markdown: str, label: str) -> str:
    return next(line for line in markdown.splitlines() if line.startswith(f"| **{label}**"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_report_is_the_golden_file(
    name: str, assert_golden: Callable[[str, str], None]
) -> None:
    assert_golden(f"{name}.md", render_markdown(EXAMPLES[name]()))


@pytest.mark.parametrize("name", ["empty", "one_batch", "hostile"])
def test_the_sections_stand_in_their_order(name: str) -> None:
    markdown = render_markdown(EXAMPLES[name]())
    assert headings(markdown, "h1") == ["Performance Baseline Report"]
    assert headings(markdown, "h2") == SECTIONS
    assert [title for title in folded(markdown) if title in FOLDED] == FOLDED


def test_one_table_holds_the_numbers_of_all_phases() -> None:
    phases = section(render_markdown(full_baseline()), "Phases")
    assert cells(next(line for line in phases.splitlines() if line.startswith("|"))) == [
        "",
        "Training",
        "Validation",
        "Test",
    ]
    for label, values in (
        ("Total Time", ["11.2 s", "16.3 s", "14.5 s"]),
        ("Number of Batches", ["60", "34", "40"]),
        ("Mean Batch Time", ["176 ms", "458 ms", "368 ms"]),
        ("Median Batch Time", ["168 ms", "436 ms", "350 ms"]),
        ("P95 Batch Time", ["235 ms", "610 ms", "490 ms"]),
        ("P99 Batch Time", ["319 ms", "828 ms", "665 ms"]),
    ):
        assert cells(row_of(phases, label))[1:] == values


def test_every_table_row_has_as_many_cells_as_its_header() -> None:
    for build in EXAMPLES.values():
        header_cells = row_cells = 0
        for token in PARSER.parse(render_markdown(build())):
            if token.type == "table_open":
                header_cells = 0
            header_cells += token.type == "th_open"
            row_cells += token.type == "td_open"
            if token.type == "tr_close":
                assert row_cells in (0, header_cells)
                row_cells = 0


def test_no_text_from_outside_injects_a_heading_a_link_or_html() -> None:
    markdown = render_markdown(hostile_baseline())
    tokens = all_tokens(markdown)
    html = {token.content.strip() for token in tokens if token.type.startswith("html")}
    titles = {f"<details>\n<summary>{title}</summary>" for title in folded(markdown)}
    assert html <= titles | {"</details>"}
    assert set(folded(markdown)) <= set(folded(render_markdown(full_baseline())))
    links = [token.attrs["href"] for token in tokens if token.type == "link_open"]
    assert [str(url).split("/")[2] for url in links] == ["x.example"]
    assert not any(token.type in ("image", "hr") for token in tokens)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_report_holds_no_control_character_and_no_surrogate(name: str) -> None:
    markdown = render_markdown(EXAMPLES[name]())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", markdown)
    markdown.encode("utf-8")


def test_a_test_run_is_never_called_validation() -> None:
    document = full_baseline()
    only_test = document.model_copy(
        update={
            "phases": [phase for phase in document.phases if phase.name == "test"],
            "operations": [],
            "workers": [],
            "findings": [],
            "train_vs_validation": None,
        }
    )
    markdown = render_markdown(only_test)
    assert "training and validation were not measured" in section(
        markdown, "Validation Performance"
    )
    phases = section(markdown, "Phases")
    assert cells(row_of(phases, "Total Time"))[1:] == ["not measured", "not measured", "14.5 s"]


def test_missing_is_not_measured_with_its_reason_and_never_zero() -> None:
    markdown = render_markdown(one_batch_baseline())
    missing = section(markdown, "What was not measured")
    assert re.search(
        r"`phases.train.batch_time_s.std` +\| not collected +\| one batch has", missing
    )
    assert "Validation was not measured (skipped: the run ended before its first" in markdown
    nothing = render_markdown(all_missing_baseline())
    tables = [line for line in nothing.splitlines() if line.startswith("| **")]
    assert tables
    assert not any(re.search(r"\| +0\b", line) for line in tables)


def test_zero_is_a_measurement() -> None:
    document = Baseline(
        generated_at=GENERATED_AT,
        generator=GENERATOR,
        run=full_baseline().run,
        phases=[Phase(name="validation", total_s=0.0, batches=0)],
    )
    markdown = render_markdown(document)
    assert cells(row_of(markdown, "Total Time")) == ["**Total Time**", "not measured", "0 s"]
    assert cells(row_of(markdown, "Number of Batches"))[2] == "0"


def test_no_findings_of_nothing_measured_is_not_called_no_bottleneck() -> None:
    markdown = render_markdown(empty_baseline())
    assert "Nothing was measured in this run, so there are no findings." in markdown
    assert "No findings: nothing measured crossed" not in markdown


def test_no_findings_of_a_measured_run_says_that_no_threshold_was_passed() -> None:
    markdown = render_markdown(full_baseline().model_copy(update={"findings": []}))
    assert "No findings: nothing measured crossed a threshold." in markdown


def test_no_findings_without_a_steady_batch_is_not_called_no_bottleneck() -> None:
    markdown = render_markdown(one_batch_baseline())
    assert "No findings: no batch is steady, so there is nothing to judge by." in markdown


def test_findings_are_ranked_by_what_they_would_save() -> None:
    titles = headings(render_markdown(full_baseline()), "h3")
    findings = [title for title in titles if title[0].isdigit()]
    assert findings == [
        "1. The metric takes 46% of validation (HIGH)",
        "2. Training waits for its first batch (LOW)",
        "3. A few training batches take far longer than the others (MEDIUM)",
    ]


def test_the_waterfall_leads_from_training_to_validation_and_leaves_specks_out() -> None:
    comparison = TrainVsValidation(
        sample_ratio=Ratio(value=2.8),
        waterfall_s_per_sample=[
            WaterfallStep(name="transfer", delta_s=0.0001),
            WaterfallStep(name="metrics", delta_s=0.1),
            WaterfallStep(name="backward", delta_s=-0.02),
        ],
    )
    markdown = render_markdown(
        full_baseline().model_copy(update={"train_vs_validation": comparison})
    )
    shown = section(markdown, "Validation Performance").split("What each line adds")[1]
    lines = [line for line in shown.splitlines() if line.startswith(("| **", "| `"))]
    labels = [line.split("|")[1].strip() for line in lines]
    assert labels == ["**Training sample**", "`metrics`", "`backward`", "**Validation sample**"]
    assert "Left out, each under 1% of the largest change: `transfer`." in shown


def test_operations_of_workers_stand_apart_from_those_of_the_main_process() -> None:
    markdown = render_markdown(full_baseline())
    main = markdown.split("### In the main process")[1].split("###")[0]
    workers = markdown.split("### In the loader workers")[1].split("</details>")[0]
    assert "target_maps" not in main
    assert "`target_maps`" in workers
    assert "Main thread waited" in workers


def test_a_number_that_is_not_finite_is_shown_as_not_measured() -> None:
    nan = float("nan")
    phase = Phase.model_construct(
        name="train",
        total_s=nan,
        batches=1,
        batch_time_s=Distribution.model_construct(count=1, mean=nan),
        breakdown=[
            BreakdownLine.model_construct(
                name="forward", total_s=1.0, share=nan, per_batch_s=nan, parts=[]
            )
        ],
        per_epoch=[],
    )
    markdown = render_markdown(full_baseline().model_copy(update={"phases": [phase]}))
    assert "nan" not in markdown.lower()


def test_equal_documents_give_equal_texts() -> None:
    assert render_markdown(full_baseline()) == render_markdown(full_baseline())


def test_what_shares_a_cause_is_listed_as_its_evidence_and_small_things_apart() -> None:
    markdown = render_markdown(full_baseline())
    evidence = section(markdown, "Evidence")
    assert "The same time, seen otherwise:" in evidence
    assert "- A validation sample takes longer than a training sample (3.00 s, 11.0%" in evidence
    small = section(markdown, "2 small things: under 2% of the run, or no saving of time")
    assert "- Training spends much of its time in callbacks (200 ms, 0.7% of the run)." in small


def test_files_beside_the_report_are_linked_and_not_embedded() -> None:
    markdown = render_markdown(full_baseline(), beside=["baseline.json", "metrics.csv"])
    assert markdown.endswith(
        "Beside this file: [`baseline.json`](baseline.json), [`metrics.csv`](metrics.csv).\n"
    )
    assert "```" not in markdown
    assert "Beside this file" not in render_markdown(full_baseline())


def test_a_finding_in_doubt_says_why() -> None:
    assert "In doubt: the machine was busy." in render_markdown(full_baseline())
