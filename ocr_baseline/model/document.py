"""The baseline document, version 1.0: what `baseline.json` holds, as pydantic models.

Names and nesting are a contract with other programs. Units are SI and stand in the name's suffix;
`None` means "not measured" and has an entry in `missing`; 0 is a measurement. The models of its
parts are in `parts/`, one subject a module; whoever reads the document imports them from here.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field

from ocr_baseline.errors import SettingError
from ocr_baseline.model.parts.base import Count, Distribution, DocumentModel, FiniteFloat
from ocr_baseline.model.parts.breakdown import BreakdownLine, FunctionShare, Operation
from ocr_baseline.model.parts.findings import (
    SMALL_SHARE_OF_RUN,
    Evidence,
    Finding,
    NamedCause,
    Severity,
)
from ocr_baseline.model.parts.identity import Environment, KnownEnvironment, Workload
from ocr_baseline.model.parts.memory import AcceleratorMemory, Memory, MemoryUse, PhaseMemory
from ocr_baseline.model.parts.phases import (
    AcceleratorIdle,
    BatchTimeScope,
    DeviceTime,
    EpochSummary,
    Phase,
    Ratio,
    TrainVsValidation,
    Utilization,
    Warmup,
    WaterfallStep,
    whole_phase,
)
from ocr_baseline.model.parts.ranks import Rank, RankPhase, RankSpread
from ocr_baseline.model.parts.start import Goodput, Start, StartPart
from ocr_baseline.model.parts.window import Flops, ProfiledCode, ProfiledWait, ProfileWindow
from ocr_baseline.model.parts.workers import SlowBatch, SlowSample, Workers
from ocr_baseline.model.run import Missing, RunInfo
from ocr_baseline.vocabulary import PHASE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ocr_baseline.model.frames import TableName

__all__ = [
    "SCHEMA_NAME",
    "SCHEMA_VERSION",
    "SMALL_SHARE_OF_RUN",
    "AcceleratorIdle",
    "AcceleratorMemory",
    "Baseline",
    "BatchTimeScope",
    "BreakdownLine",
    "Count",
    "DeviceTime",
    "Distribution",
    "DocumentModel",
    "Environment",
    "EpochSummary",
    "Evidence",
    "Finding",
    "Flops",
    "FunctionShare",
    "Generator",
    "Goodput",
    "KnownEnvironment",
    "Measurement",
    "Memory",
    "MemoryUse",
    "NamedCause",
    "Operation",
    "Phase",
    "PhaseMemory",
    "ProfileWindow",
    "ProfiledCode",
    "ProfiledWait",
    "Rank",
    "RankPhase",
    "RankSpread",
    "Ratio",
    "Severity",
    "SlowBatch",
    "SlowSample",
    "Start",
    "StartPart",
    "TrainVsValidation",
    "Utilization",
    "Warmup",
    "WaterfallStep",
    "Workers",
    "Workload",
    "time_of_run",
    "whole_phase",
]

SCHEMA_NAME: Literal["ocr-baseline"] = "ocr-baseline"
SCHEMA_VERSION = "1.0"


class Generator(DocumentModel):
    """The program that wrote the document."""

    name: str
    version: str


class Measurement(DocumentModel):
    """How the numbers were taken and what the taking cost.

    `overhead_s` is the profiler's own time in the main thread over all phases; `background_cpu_s`
    the processor time of its sampling thread, in parallel with the run.
    """

    clock: str | None = None
    overhead_s: FiniteFloat | None = None
    overhead_share: FiniteFloat | None = None
    per_batch_overhead_s: FiniteFloat | None = None
    background_cpu_s: FiniteFloat | None = None
    warnings: list[str] = []
    notes: list[str] = []


def _count_of(phase: Phase) -> str:
    loader = "" if phase.dataloader is None else f"[{phase.dataloader}]"
    count = "" if phase.batches is None else f" {phase.batches} batches"
    return f"{phase.name}{loader}{count}"


def time_of_run(run: RunInfo, phases: Iterable[Phase], start: Start | None) -> float:
    """Return the time of a run in seconds, or of its phases where that wasn't measured.

    It counts from where the time to the first step does, where that is known: shares of the run
    are of this.
    """
    before_s = 0.0 if start is None else start.process_to_setup_s or start.fit_to_setup_s or 0.0
    return before_s + max(run.duration_s or 0.0, sum(phase.total_s or 0.0 for phase in phases))


class Baseline(DocumentModel):
    """The whole document."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        populate_by_name=True,
        # `run` and `missing` are plain dataclasses, which nobody has validated yet.
        revalidate_instances="always",
    )

    schema_name: Literal["ocr-baseline"] = Field(default=SCHEMA_NAME, alias="schema")
    schema_version: str = SCHEMA_VERSION
    generated_at: datetime
    generator: Generator
    run: RunInfo
    workload: Workload = Workload()
    environment: Environment = Environment()
    phases: list[Phase] = []
    operations: list[Operation] = []
    workers: list[Workers] = []
    profile_window: ProfileWindow | None = None
    train_vs_validation: TrainVsValidation | None = None
    start: Start | None = None
    goodput: Goodput | None = None
    memory: Memory | None = None
    findings: list[Finding] = []
    measurement: Measurement = Measurement()
    missing: list[Missing] = []
    world_size: Count = 1
    ranks: list[Rank] = []
    rank_spreads: list[RankSpread] = []
    series: str | None = None

    def phase(self, name: str) -> Phase | None:
        """Return the phase over all dataloaders, or that of the only dataloader.

        None when the phase did not run, or when several dataloaders have no sum.

        Args:
            name: `train`, `validation`, `test` or `predict`.

        Raises:
            SettingError: There is no phase of that name in any run; the message lists them.
        """
        if name not in PHASE_NAMES:
            raise SettingError(f"no phase {name!r}: choose from {', '.join(PHASE_NAMES)}")
        return whole_phase(self.phases, name)

    @property
    def total_s(self) -> float:
        """The time that shares of the run are of."""
        return time_of_run(self.run, self.whole_phases, self.start)

    @property
    def ranked_findings(self) -> list[Finding]:
        """The findings, the most worthwhile first."""
        return sorted(self.findings, key=lambda finding: finding.rank)

    @property
    def leading_findings(self) -> list[Finding]:
        """One finding for each cause, the most worthwhile first."""
        return [finding for finding in self.ranked_findings if finding.part_of is None]

    def shared_findings(self, leading: Finding) -> list[Finding]:
        """Return the findings about the same seconds as a leading one."""
        return [finding for finding in self.ranked_findings if finding.part_of == leading.id]

    def to_frame(self, table: TableName) -> pd.DataFrame:
        """Return one table of the document, in its names and units.

        Args:
            table: `phases`, `breakdown`, `functions`, `epochs`, `operations`, `start`,
                `findings` or `missing`.

        Raises:
            SettingError: There is no such table.
        """
        from ocr_baseline.model.frames import to_frame

        return to_frame(self, table)

    def __repr__(self) -> str:
        """Which run it is, and how many batches of it there are."""
        name = self.run.name or self.run.id or "an unnamed run"
        phases = ", ".join(_count_of(phase) for phase in self.phases) or "no phases"
        return f"<Baseline of {name!r} from {self.run.source}: {phases}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Return the page in a frame, which is what a notebook shows."""
        page: str = import_module("ocr_baseline").render(self, "html")
        frame: str = import_module("ocr_baseline.reports.page.notebook").framed(page)
        return frame

    def _repr_markdown_(self) -> str:
        """Return the report, which a notebook that shows no HTML shows."""
        # By name: the document stands below the renderers and imports none.
        text: str = import_module("ocr_baseline").render(self, "markdown")
        return text

    @property
    def whole_phases(self) -> list[Phase]:
        """The phase of each name that has one, in the order of the names."""
        return [phase for name in PHASE_NAMES if (phase := self.phase(name)) is not None]
