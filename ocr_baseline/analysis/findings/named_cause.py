"""The sampled function that a finding about a line, or about the loader's work, is named by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings.rule import quoted
from ocr_baseline.analysis.functions.origin import LAYER, origin_of, place_in_file
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.sampler import sampler_waited_for
from ocr_baseline.model.document import Evidence, FunctionShare, NamedCause
from ocr_baseline.model.run import SampledFunction
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Phase

_LOADER_LINES = frozenset({Line.DATA_WAIT.value, Line.LOADER_STARTUP.value})


def cause_of(measured: Measured, phase: Phase, line: str) -> NamedCause | None:
    """Return the cause of a line's time, None where sampling names none but the model.

    A wait for workers is caused by what they do, unless it is the sampler that is waited for.
    """
    workers = measured.workers_of(phase)
    in_loader = line in _LOADER_LINES
    is_wait = line == Line.DATA_WAIT.value
    if is_wait and workers is not None and sampler_waited_for(measured, phase) is None:
        return named(workers.cause, f"workers.{phase.name}", in_loader=in_loader)
    found = line_of(phase, line)
    where = f"phases.{phase.name}.breakdown.{line}"
    return None if found is None else named(found.cause, where, in_loader=in_loader)


def named(cause: FunctionShare | None, of: str, *, in_loader: bool = False) -> NamedCause | None:
    """Return a sampled function as the cause of the time of `of`, None for a layer of the model.

    In the loader a `forward` is a transform's, and is named.
    """
    if cause is None or (cause.name.rpartition(".")[2] == LAYER and not in_loader):
        return None
    return NamedCause(
        name=cause.name,
        file=cause.file,
        line=cause.line,
        share=cause.inclusive_share,
        low=cause.low,
        high=cause.high,
        of=of,
    )


def with_cause(words: str, cause: NamedCause | None) -> str:
    """Return a title that ends in its cause, where there is one."""
    if cause is None:
        return words
    whole = "the workers' time" if cause.of.startswith("workers.") else "it"
    share = percent_words(cause.share, cause.low, cause.high)
    return f"{words}: {place_of(cause)} takes {share} of {whole}"


def place_of(cause: NamedCause) -> str:
    """Return `Blur.__call__ (data.py:31)`, backticks and all; the report has the whole path."""
    return quoted(f"{cause.name} ({place_in_file(cause.file, cause.line)})")


def percent_words(share: float, low: float, high: float) -> str:
    """Return a sampled share and its margin in whole points: `71 ± 3%`."""
    points = max(round(100 * (high - low) / 2), 1)
    return f"{round(100 * share)} ± {points}%"


def cause_evidence(cause: NamedCause | None) -> list[Evidence]:
    """Return the share that names the cause."""
    if cause is None:
        return []
    metric = f"{cause.of}.functions.{cause.name}.inclusive_share"
    return [Evidence(metric=metric, value=cause.share, unit="share")]


def is_users_code(cause: NamedCause | None) -> bool:
    """Whether the function that was named is the user's own, which can change or go."""
    if cause is None:
        return False
    return origin_of(SampledFunction(cause.name, cause.file, cause.line)) == "user"


def begin_with(cause: NamedCause | None, advice: str) -> str:
    """Return advice that ends with where to begin, where that is code of the user's."""
    if cause is None or not is_users_code(cause):
        return advice
    return f"{advice} Begin with {place_of(cause)}."
