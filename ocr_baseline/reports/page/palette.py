"""Colors, as classes of the style sheet: a line has the same one in every report."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_COLORS = frozenset(line.value for line in Line)
"""Lines with a class of their own, `line-` and the name; the style sheet has all of them."""
OPERATION_COLORS = 8
GREY = "line-other"
STAGES: Mapping[str, str] = {stage.value: f"stage-{stage.value}" for stage in Stage}


def start_class(name: str, place: int) -> str:
    """Return the class of a part of the start: that of its line, or one of three greys."""
    group = name.partition(":")[0]
    return f"line-{group}" if group in OWN_COLORS else f"start-{place % 3}"


def line_class(name: str) -> str:
    """Return the class of a line: its own, its group's (`callbacks:X`), or one by its name."""
    group = name.partition(":")[0]
    if group in OWN_COLORS:
        return f"line-{group}"
    return f"operation-{zlib.crc32(name.encode('utf-8', 'replace')) % OPERATION_COLORS}"
