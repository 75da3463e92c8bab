"""Text on the page: names between backticks become code, long names lose their beginning."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from ocr_baseline.reports.text.plain_text import single_line

MAX_SHOWN_NAME = 44
URL_CHARACTERS = "/:?#[]@!$&*+,=%~-._"
_SEPARATORS = "./:"


def with_code(text: str) -> Markup:
    """Return text in which names stand between backticks as HTML, everything escaped."""
    shown = single_line(text)
    parts = shown.split("`")
    if len(parts) % 2 == 0:  # a backtick of the text's own
        return escape(shown)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def shortened(name: str, most: int = MAX_SHOWN_NAME) -> str:
    """Return the end of a long name, which tells more than its beginning: `…BoxExtractor.__call__`.

    It begins at a part of the name where one fits.
    """
    if len(name) <= most:
        return name
    tail = name[-most:]
    starts = [tail.find(mark) + 1 for mark in _SEPARATORS if 0 <= tail.find(mark) < most // 2]
    return "…" + tail[min(starts, default=1) :]


def safe_link(url: str | None) -> str | None:
    """Return an http or https address, None for anything else."""
    if url is None:
        return None
    try:
        parts = urlsplit(single_line(url))
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return None
    return quote(parts.geturl(), safe=URL_CHARACTERS)
