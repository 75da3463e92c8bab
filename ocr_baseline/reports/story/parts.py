"""The parts of a report: the answer, then its proof, then everything else.

Texts are sentences in which names stand between single backticks. Numbers are in SI units, beside
the words that say what they are; a renderer scales them with `reports.text.formatting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.tables import Table

if TYPE_CHECKING:
    from ocr_baseline.model.document import Finding, Ratio, Severity, WaterfallStep

Certainty = Literal["timed", "sampled", "in doubt"]
LimitKind = Literal["ending", "machine", "batches", "warning"]
Block: TypeAlias = str | Table


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What fixing a cause would save, with the range of the estimate where there is one."""

    seconds: float
    low_s: float | None = None
    high_s: float | None = None
    share_of_run: float | None = None
    low_share: float | None = None
    high_share: float | None = None
    is_the_most: bool = False
    basis: str | None = None


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause and what to do about it.

    Attributes:
        finding: What the analysis found; its evidence and its lines are there.
        title: What it is, without a full stop.
        severity: How much it matters.
        saving: What fixing it would save, None where the remedy saves no time.
        remedy: The first thing to do, one sentence.
        advice: All that can be done; begins with the remedy.
        certainty: How it is known.
        proof: A sentence that says so.
        same_time: Other findings about the same seconds, a sentence each.
    """

    finding: Finding
    title: str
    severity: Severity
    saving: Saving | None
    remedy: str
    advice: str
    certainty: Certainty
    proof: str
    same_time: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Something that limits what the report can say, with what helps where anything does."""

    kind: LimitKind
    text: str
    advice: str = ""


@dataclass(frozen=True, kw_only=True)
class Versus:
    """Validation against training.

    Attributes:
        sentence: What the comparison comes to, or why there is none.
        ratio: Validation divided by training, None where it says nothing.
        per: What `ratio` is per.
        train_s: Time per training sample, where `steps` begin.
        validation_s: Time per validation sample, where they end.
        steps: What each line adds or takes, the largest change first.
        small_steps: Names of lines whose change is under 1% of the largest.
    """

    sentence: str
    ratio: Ratio | None = None
    per: Literal["sample", "batch"] | None = None
    train_s: float | None = None
    validation_s: float | None = None
    steps: tuple[WaterfallStep, ...] = ()
    small_steps: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A number that stands beside the answer.

    Attributes:
        key: `validation_vs_training`, `throughput`, `waited_for_data`, `peak_memory` or
            `cost_of_measuring`.
        label: What it is, as a heading.
        value: The number, None where it wasn't measured.
        unit: As the document names it: `ratio`, `samples/s`, `share`, `bytes`, `s`.
        note: What belongs to it: its interval, what it is a part of, or why there is no value.
    """

    key: str
    label: str
    value: float | None
    unit: str
    note: str = ""

    @property
    def text(self) -> str:
        """The number as it is shown, or `not measured`."""
        return formatting.quantity(self.value, self.unit)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the proof.

    Attributes:
        key: What it is about, for programs: unique among its siblings.
        title: Its heading.
        blocks: Sentences and tables, in order.
        parts: Sections below it.
        is_detail: Whether it is folded away until someone asks for it.
    """

    key: str
    title: str
    blocks: tuple[Block, ...] = ()
    parts: tuple[Section, ...] = ()
    is_detail: bool = True


@dataclass(frozen=True, kw_only=True)
class Story:
    """A report, in its order.

    Attributes:
        name: What the run is called.
        place: `entity/project` of the run, where known.
        url: Its page at a tracker, where known.
        status: How the run ended, in one sentence; names who ended it.
        verdict: The answer in one sentence, with the two numbers that matter.
        limits: What limits the answer, the weightiest first; stands beside it.
        causes: At most three, the most worthwhile first.
        further: Causes beyond those three, a sentence each.
        small: What would save under 2% of the run, or nothing, a sentence each.
        versus: Validation against training.
        facts: The numbers beside the answer.
        run_facts: Label and text of what is known of the run, its machine and its settings.
        sections: The proof, in order.
    """

    name: str
    place: str | None
    url: str | None
    status: str
    verdict: str
    limits: tuple[Limit, ...]
    causes: tuple[Cause, ...]
    further: tuple[str, ...]
    small: tuple[str, ...]
    versus: Versus
    facts: tuple[Fact, ...]
    run_facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]

    @property
    def tells_its_end(self) -> bool:
        """Whether how the run ended stands among the limits, so that it isn't told again."""
        return any(limit.kind == "ending" for limit in self.limits)
