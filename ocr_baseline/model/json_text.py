"""Documents as JSON text: the one way in which any of them is written."""

from __future__ import annotations

import functools
import json
import math
from typing import Any

from ocr_baseline.model.privacy import outward


def json_text(document: object, *, indent: int = 2, ensure_ascii: bool = False) -> str:
    """Return a document as JSON, without secrets and invisible characters, ending in a line feed.

    A number that is not finite, which no field takes but a document built without validation may
    hold, becomes null.
    """
    content = outward(document)
    write = functools.partial(json.dumps, indent=indent, ensure_ascii=ensure_ascii, allow_nan=False)
    try:
        return write(content) + "\n"
    except ValueError:
        return write(_writable(content)) + "\n"


def _writable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_writable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
