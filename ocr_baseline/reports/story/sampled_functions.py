"""What sampling found, as rows: the functions of each line that matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.analysis.findings.named_cause import percent_words
from ocr_baseline.analysis.functions.origin import is_notebook_cell, place_in_file
from ocr_baseline.model.document import SMALL_SHARE_OF_RUN, FunctionShare
from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import name_of
from ocr_baseline.reports.text.tables import Name, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import BreakdownLine, Phase, Workers

MOST_OF_A_LINE = 8
MOST_OF_A_PHASE = 16
LEAST_SHARE = 0.05
PATH_PARTS = 3
_HEADERS = ["Line", "Function", "Where", "Share of the line", "Its own code"]


class SampledLine(NamedTuple):
    """A line that matters and its functions."""

    name: str
    functions: Sequence[FunctionShare]


def material_lines(phase: Phase) -> Iterator[BreakdownLine]:
    """Yield the sampled lines that are a considerable part of their phase, the longest first."""
    for line in sorted(phase.breakdown, key=lambda line: -line.total_s):
        if line.functions and (line.share or 0.0) >= SMALL_SHARE_OF_RUN:
            yield line


def function_table(phase: Phase) -> Table | None:
    """The heaviest functions of each line that matters; None where nothing was sampled."""
    return _table([SampledLine(line.name, line.functions) for line in material_lines(phase)])


def worker_function_table(workers: Sequence[Workers]) -> Table | None:
    """The functions in which the workers of each phase make batches."""
    return _table([SampledLine(one.phase, one.functions) for one in workers], "Phase")


def _table(lines: Sequence[SampledLine], first: str = "Line") -> Table | None:
    rows: list[list[str]] = []
    for line in lines:
        for place, function in enumerate(_shown(line.functions)):
            rows.append(["" if place else Name(line.name), *_cells(function)])
    del rows[MOST_OF_A_PHASE:]
    headers = [first, *_HEADERS[1:]]
    return Table(headers=headers, rows=rows, align="lllrr") if rows else None


def _shown(functions: Sequence[FunctionShare]) -> list[FunctionShare]:
    """Return the heaviest, what is the user's or a library's before the framework around it."""
    heavy = [one for one in functions if one.inclusive_share >= LEAST_SHARE]
    heavy.sort(key=lambda one: one.origin not in ("user", "library"))
    return heavy[:MOST_OF_A_LINE]


def _cells(function: FunctionShare) -> list[str]:
    return [
        Name(function.name),
        Name(where(function)),
        sampled_share(function),
        formatting.share(function.self_share),
    ]


def where(function: FunctionShare) -> str:
    """Return `.../project/data.py:31`: the end of the path tells more than its beginning.

    A notebook's cell has no path.
    """
    if is_notebook_cell(function.file):
        return place_in_file(function.file, function.line)
    parts = function.file.replace("\\", "/").split("/")
    shortened = "/".join(["...", *parts[-PATH_PARTS:]]) if len(parts) > PATH_PARTS + 1 else None
    return f"{shortened or function.file}:{function.line}"


def sampled_share(function: FunctionShare) -> str:
    """Return the inclusive share with its margin."""
    return percent_words(function.inclusive_share, function.low, function.high)


def named_causes(phase: Phase) -> Iterator[tuple[str, str, str]]:
    """Yield line, function with its place, and share, for each line whose cause is named."""
    for line in material_lines(phase):
        if line.cause is not None:
            place = f"{name_of(line.cause.name)} ({where(line.cause)})"
            yield name_of(line.name), place, sampled_share(line.cause)
