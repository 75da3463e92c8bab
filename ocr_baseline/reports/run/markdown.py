"""`baseline.md`: the report for people, in GitHub's Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from ocr_baseline.model.json_text import json_text
from ocr_baseline.reports.run import header, markdown_tables, phase_tables
from ocr_baseline.reports.run.csv import MetricRow, metric_rows
from ocr_baseline.reports.run.measurement_notes import batch_time_notes, measurement_notes
from ocr_baseline.reports.run.phase_tables import phase_or_empty, shown_phases
from ocr_baseline.reports.run.sampled_functions import function_table, worker_function_table
from ocr_baseline.reports.run.start_section import start_sentences, start_table
from ocr_baseline.reports.run.worker_time import worker_time_lines
from ocr_baseline.reports.text import wording
from ocr_baseline.reports.text.csv_text import write_csv
from ocr_baseline.reports.text.markdown_text import MarkdownText, code, fenced, link, prose
from ocr_baseline.vocabulary import PhaseName

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, Finding, Operation


def render_markdown(baseline: Baseline) -> str:
    """Return the report; equal documents give equal texts."""
    templates = Environment(
        loader=PackageLoader("ocr_baseline.reports.run"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML: `finalize` escapes what isn't Markdown yet
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_as_markdown,
    )
    return templates.get_template("baseline.md.j2").render(_view(baseline))


def _as_markdown(value: object) -> object:
    return prose(value) if isinstance(value, str) else value


def _view(baseline: Baseline) -> dict[str, object]:
    run = baseline.run
    main, worker = _operations(baseline, "main"), _operations(baseline, "worker")
    place = header.run_place(baseline)
    return {
        "run_link": link(run.name or run.id or "unnamed run", run.url),
        "run_place": code(place) if place else None,
        "header": header.header_facts(baseline),
        "verdict": " ".join(header.verdict(baseline)),
        "ratio_table": markdown_tables.ratio_table(baseline),
        "waterfall_table": markdown_tables.waterfall_table(baseline),
        "small_steps": markdown_tables.small_waterfall_steps(baseline),
        "phases": [_phase_section(baseline, name) for name in shown_phases(baseline)],
        "start": " ".join(start_sentences(baseline)),
        "start_table": start_table(baseline),
        "main_operations": markdown_tables.operation_table(main, "main") if main else None,
        "worker_operations": markdown_tables.operation_table(worker, "worker") if worker else None,
        "workers": markdown_tables.workers_table(baseline),
        "worker_time": list(worker_time_lines(baseline)),
        "worker_functions": worker_function_table(baseline.workers),
        "operation_notes": _operation_notes(baseline, main, worker),
        "memory_table": markdown_tables.memory_table(baseline),
        "memory_over_time": markdown_tables.memory_over_time_table(baseline),
        "rank_spreads": markdown_tables.spread_table(baseline),
        "rank_table": markdown_tables.rank_table(baseline),
        "rank_notes": markdown_tables.rank_notes(baseline),
        "findings": [_finding(baseline, finding) for finding in _leading(baseline, small=False)],
        "small_findings": [_finding_line(finding) for finding in _leading(baseline, small=True)],
        "no_findings": wording.no_findings(baseline),
        "missing": markdown_tables.missing_table(baseline)
        if baseline.missing
        else "Nothing: every metric in this report has a value.",
        "measurement": measurement_notes(baseline),
        "line_table": markdown_tables.line_table(baseline),
        "raw_metrics": fenced(write_csv(MetricRow._fields, metric_rows(baseline)), "csv"),
        "raw_environment": _raw_environment(baseline),
    }


def _phase_section(baseline: Baseline, name: PhaseName) -> dict[str, object]:
    phase = phase_or_empty(baseline, name)
    loaders = wording.dataloader_phases(baseline, name)
    is_absent = not wording.has_measurements(phase) and not loaders
    shown, kept = min(len(phase.per_epoch), phase_tables.MAX_EPOCHS), len(phase.per_epoch)
    return {
        "title": wording.stage_adjective(name),
        "absent": wording.absence(baseline, name) if is_absent else None,
        "facts": phase_tables.phase_table(baseline, name),
        "notes": batch_time_notes(phase),
        "breakdown": phase_tables.breakdown_table(phase) if phase.breakdown else None,
        "functions": function_table(phase),
        "small_lines": MarkdownText(", ".join(phase_tables.small_lines(phase))),
        "device": phase_tables.device_table(phase.device) if phase.device else None,
        "device_note": phase_tables.device_note(phase.device) if phase.device else None,
        "dataloaders": phase_tables.dataloader_table(loaders) if loaders else None,
        "epochs": phase_tables.epoch_table(phase) if kept > 1 else None,
        "epochs_title": "epochs" if shown == kept else f"the last {shown} of {kept} epochs",
    }


def _operations(baseline: Baseline, process: str) -> list[Operation]:
    chosen = [operation for operation in baseline.operations if operation.process == process]
    return sorted(chosen, key=lambda operation: -operation.exclusive_s)


def _operation_notes(baseline: Baseline, *groups: list[Operation]) -> list[str]:
    if not any(groups):
        return [f"Named operations: {wording.not_measured(baseline, 'operations')}."]
    left_out = sum(max(0, len(group) - markdown_tables.MAX_OPERATIONS) for group in groups)
    if not left_out:
        return []
    word = "operation is" if left_out == 1 else "operations are"
    return [f"{left_out} shorter {word} only in the raw summary."]


def _leading(baseline: Baseline, *, small: bool) -> list[Finding]:
    return [finding for finding in baseline.leading_findings if finding.is_small == small]


def _finding(baseline: Baseline, finding: Finding) -> dict[str, object]:
    saving = None
    if finding.estimated_saving_s is not None:
        basis = f" ({prose(finding.saving_basis.rstrip('.'))})" if finding.saving_basis else ""
        saving = MarkdownText(f"**Estimated saving:** {wording.saving(finding)}{basis}.")
    return {
        "title": finding.title.rstrip("."),
        "severity": finding.severity.upper(),
        "saving": saving,
        "doubt": f"In doubt: {finding.doubt}." if finding.doubt else None,
        "advice": finding.advice,
        "shared": [_finding_line(one) for one in baseline.shared_findings(finding)],
        "evidence": markdown_tables.evidence_table(finding) if finding.evidence else None,
    }


def _finding_line(finding: Finding) -> str:
    """Return a finding in one line, for what doesn't lead."""
    saves = "" if finding.estimated_saving_s is None else f" ({wording.saving(finding)})"
    return f"{finding.title.rstrip('.')}{saves}. {finding.advice}"


def _raw_environment(baseline: Baseline) -> MarkdownText | None:
    content = {
        "environment": baseline.environment.model_dump(mode="json"),
        "workload": baseline.workload.model_dump(mode="json"),
    }
    if not any(value for section in content.values() for value in section.values()):
        return None
    return fenced(json_text(content, ensure_ascii=True), "json")
