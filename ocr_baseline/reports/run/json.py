"""`baseline.json`: the document for programs."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ocr_baseline.model.document import Baseline


def render_json(baseline: Baseline) -> str:
    """Return the document as JSON, `schema` first, the fields in the order of their definition.

    A number that is not finite, which no field takes but a document built without validation may
    hold, becomes null; a lone surrogate becomes U+FFFD.
    """
    content = json.dumps(
        _writable(baseline.model_dump(mode="json", by_alias=True)),
        indent=2,
        ensure_ascii=False,
        allow_nan=False,
    )
    return content.encode("utf-8", "replace").decode("utf-8") + "\n"


def _writable(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
