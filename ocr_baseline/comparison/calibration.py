"""A machine's own spread: how much runs of the same code differ (A/A runs)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocr_baseline.comparison.designs import KnownSpread
from ocr_baseline.comparison.estimation import values_by_sitting
from ocr_baseline.comparison.identity import differences, fingerprint, workload_hash
from ocr_baseline.comparison.intervals import Spread, within_spread
from ocr_baseline.comparison.metrics import BY_KEY, METRICS, Metric
from ocr_baseline.comparison.sittings import sittings_of
from ocr_baseline.comparison.units import units_of
from ocr_baseline.errors import ComparisonError, SchemaError
from ocr_baseline.model.json_text import json_text

if TYPE_CHECKING:
    from ocr_baseline.comparison.summary import RunSummary

MIN_RUNS = 8
SCHEMA_NAME: Literal["ocr-baseline-calibration"] = "ocr-baseline-calibration"


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, populate_by_name=True
    )


class MetricSpread(_Model):
    """The standard deviation of one metric between runs.

    On the scale `log` it is that of natural logarithms, nearly the relative spread. `spread` is
    that of runs in sittings of their own, `within` that of runs of one sitting; of runs that all
    share one, both are the same. A file from before sittings counted has no number of them: each
    of its runs counts as one.
    """

    spread: float = Field(ge=0)
    scale: Literal["log", "linear"]
    runs: int = Field(ge=2)
    within: float | None = Field(default=None, ge=0)
    sittings: int | None = Field(default=None, ge=1)

    def known(self) -> KnownSpread:
        """Return what it tells, each spread where at least eight runs or sittings told it."""
        sittings = self.runs if self.sittings is None else self.sittings
        anew = within = None
        if sittings >= MIN_RUNS:
            within = anew = Spread(value=self.spread, degrees_of_freedom=sittings - 1)
        if self.within is not None and self.runs - sittings >= MIN_RUNS - 1:
            within = Spread(value=self.within, degrees_of_freedom=self.runs - sittings)
        return KnownSpread(anew=anew, within=within)


class Calibration(_Model):
    """What A/A runs of one machine and one workload gave."""

    schema_name: Literal["ocr-baseline-calibration"] = Field(default=SCHEMA_NAME, alias="schema")
    schema_version: Literal["1.0"] = "1.0"
    generated_at: datetime
    fingerprint: str
    workload: str
    runs: int = Field(ge=MIN_RUNS)
    metrics: dict[str, MetricSpread]

    def fits(self, run: RunSummary) -> bool:
        """Whether the run is of the same environment and did the same work."""
        own = fingerprint(run.environment.identity), workload_hash(run)
        return own == (self.fingerprint, self.workload)

    def known_of(self, metric: Metric) -> KnownSpread:
        """Return what is known of the metric's spread."""
        found = self.metrics.get(metric.key)
        return KnownSpread() if found is None or found.scale != metric.scale else found.known()


def calibrate(runs: Sequence[RunSummary]) -> Calibration:
    """Return the spread of each metric over runs of the same code on the same machine.

    Raises:
        ComparisonError: When there are fewer than 8 runs, when a run is given twice, or when the
            runs are not of one environment and workload.
    """
    distinct = {run.content for run in runs}
    if len(distinct) < len(runs):
        raise ComparisonError(
            f"{len(runs) - len(distinct)} of {len(runs)} runs are copies of others; "
            "a copy has no spread of its own"
        )
    if len(runs) < MIN_RUNS:
        raise ComparisonError(
            f"calibrating takes at least {MIN_RUNS} runs of the same code and machine, "
            f"not {len(runs)}"
        )
    for difference in differences(runs[:1], runs[1:]):
        if difference.forbids:
            raise ComparisonError(
                f"the runs are not of one kind: {difference.field} is {difference.base!r} in "
                f"{runs[0].label} and {difference.new!r} in {difference.run or 'another'}"
            )
    sittings = sittings_of(runs)
    return Calibration(
        generated_at=datetime.now(timezone.utc),
        fingerprint=fingerprint(runs[0].environment.identity),
        workload=workload_hash(runs[0]),
        runs=len(runs),
        metrics={
            metric.key: found
            for metric in METRICS
            if (found := _spread(metric, runs, sittings)) is not None
        },
    )


def parse_calibration(text: str, place: str) -> Calibration:
    """Return the calibration that a JSON text holds; `place` is where the text came from.

    Raises:
        SchemaError: When it isn't one that this version reads.
    """
    try:
        calibration = Calibration.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise SchemaError(f"{place} isn't a calibration: {where}: {first['msg']}") from error
    known = {key: found for key, found in calibration.metrics.items() if key in BY_KEY}
    return calibration.model_copy(update={"metrics": known})


def render_calibration(calibration: Calibration) -> str:
    """Return the calibration as JSON text."""
    document = calibration.model_dump(mode="json", by_alias=True)
    return json_text(document)


def _spread(
    metric: Metric, runs: Sequence[RunSummary], sittings: Mapping[str, int]
) -> MetricSpread | None:
    usable = [
        run
        for run in runs
        if (value := run.values.get(metric.key)) is not None
        and (value > 0 or metric.scale == "linear")
    ]
    groups = list(values_by_sitting(metric, usable, sittings).values())
    count = sum(map(len, groups))
    if count < 2:
        return None
    within, units = within_spread(groups), units_of(groups, by_median=False)
    between = within_spread([units.values])
    # A run of a sitting of its own has all of the variance within sittings, a mean a share of it.
    squares = 0.0 if between is None else between.value**2
    squares += 0.0 if within is None else within.value**2 * (1 - (units.share if between else 0.0))
    return MetricSpread(
        spread=math.sqrt(squares),
        scale=metric.scale,
        runs=count,
        within=None if within is None else within.value,
        sittings=len(groups),
    )
