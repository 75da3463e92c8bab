"""`baseline.json`: the document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.model.json_text import json_text

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline


def render_json(baseline: Baseline) -> str:
    """Return the document as JSON, `schema` first, the fields in the order of their definition."""
    return json_text(baseline.model_dump(mode="json", by_alias=True))
