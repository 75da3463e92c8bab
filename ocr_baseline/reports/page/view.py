"""The story of a run in the pieces that the page's template lays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from ocr_baseline.reports.page.words import with_code
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import name_of
from ocr_baseline.reports.text.tables import Bar, Name, Strong, Table

if TYPE_CHECKING:
    from ocr_baseline.reports.story.parts import Cause, Fact, Saving, Section

_SCALED = ("samples/s", "bytes")


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """A table in HTML; `sides` says for each column whether it is set to the right."""

    label: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Markup]]
    sides: Sequence[bool]


@dataclass(frozen=True, kw_only=True)
class ShownSection:
    """A section whose sentences and tables are HTML."""

    key: str
    title: str
    blocks: Sequence[Markup | ShownTable]
    parts: Sequence[ShownSection]

    @property
    def has_tables(self) -> bool:
        """Whether it holds more than sentences, which say that nothing was measured."""
        has_own = any(isinstance(block, ShownTable) for block in self.blocks)
        return has_own or any(part.has_tables for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class ShownFact:
    """A tile; `leads_to` is the section that has more of it, by its id."""

    label: str
    number: str
    unit: str
    note: str
    value: float | None
    leads_to: str | None


@dataclass(frozen=True, kw_only=True)
class ShownSaving:
    """What a cause would save, in words; `share` is the length of its bar."""

    amount: str
    of_run: str
    range: str
    share: float


@dataclass(frozen=True, kw_only=True)
class ShownCause:
    """A card."""

    title: str
    severity: str
    certainty: str
    advice: str
    proof: str
    saving: ShownSaving | None
    same_time: Sequence[str]
    evidence: ShownTable | None


def shown_section(section: Section) -> ShownSection:
    """Return a section and those below it."""
    return ShownSection(
        key=section.key.replace(":", "-"),
        title=section.title,
        blocks=[
            shown_table(block, section.title) if isinstance(block, Table) else with_code(block)
            for block in section.blocks
        ],
        parts=[shown_section(part) for part in section.parts],
    )


def shown_table(table: Table, label: str) -> ShownTable:
    """Return a table; one whose headers are all empty has none."""
    width = len(table.headers)
    return ShownTable(
        label=name_of(label),
        headers=list(table.headers) if any(table.headers) else [],
        rows=[[_cell(value) for value in row] for row in table.rows],
        sides=[side == "r" for side in table.align.ljust(width, "l")],
    )


def _cell(value: str) -> Markup:
    if isinstance(value, Bar):
        return _bar(value.fraction)
    if isinstance(value, Name):
        return Markup("<code>{}</code>").format(name_of(value))
    if isinstance(value, Strong):
        return Markup("<strong>{}</strong>").format(with_code(value))
    return with_code(value)


def _bar(fraction: float | None) -> Markup:
    if fraction is None:
        return escape("")
    return Markup('<svg class="bar" aria-hidden="true"><rect width="{:.4g}%"/></svg>').format(
        100 * min(1.0, max(0.0, fraction))
    )


def shown_fact(fact: Fact, leads_to: str | None) -> ShownFact:
    """Return a tile, whose unit is set smaller where it stands apart from the number."""
    number, unit = fact.text, ""
    if fact.value is not None and fact.unit in _SCALED:
        number, _, unit = fact.text.partition(" ")
    return ShownFact(
        label=fact.label,
        number=number,
        unit=unit,
        note=fact.note,
        value=fact.value,
        leads_to=leads_to,
    )


def shown_cause(cause: Cause, evidence: Table | None) -> ShownCause:
    """Return a card."""
    return ShownCause(
        title=cause.title,
        severity=cause.severity,
        certainty=cause.certainty,
        advice=cause.advice,
        proof=cause.proof,
        saving=None if cause.saving is None else _saving(cause.saving),
        same_time=cause.same_time,
        evidence=None if evidence is None else shown_table(evidence, cause.title),
    )


def _saving(saving: Saving) -> ShownSaving:
    within = ""
    if saving.low_s is not None and saving.high_s is not None:
        within = f"{formatting.duration(saving.low_s)} to {formatting.duration(saving.high_s)}"
    share = saving.share_of_run
    amount = formatting.duration(saving.seconds)
    return ShownSaving(
        amount=f"at most {amount}" if saving.is_the_most else amount,
        of_run="" if share is None else f"{formatting.share(share)} of the run",
        range=within,
        share=0.0 if share is None else min(1.0, max(0.0, share)),
    )
