"""Text from outside (names, errors, configuration) made fit to stand on one line."""

from __future__ import annotations

import re

from ocr_baseline.model.privacy import outward_text, redact_secrets, visible, without_commands

MAX_NAME_LENGTH = 120

_WHITESPACE = re.compile(r"\s+")


def single_line(text: str, max_length: int | None = None) -> str:
    """Return the text without line breaks, invisible characters and secrets.

    A text longer than `max_length` keeps its beginning and ends in an ellipsis; a lone surrogate,
    which no encoding can write, becomes U+FFFD.
    """
    text = _WHITESPACE.sub(" ", outward_text(text)).strip()
    if max_length is not None and len(text) > max_length:
        return text[: max_length - 1].rstrip() + "…"
    return text


def message_line(text: str) -> str:
    """Return a message to the person at the screen as one line; its paths stay as they are."""
    return without_commands(_WHITESPACE.sub(" ", redact_secrets(visible(text))).strip())


def name_of(text: str) -> str:
    """Return a name as it is shown: one line, at most `MAX_NAME_LENGTH` characters, never empty."""
    return single_line(text, MAX_NAME_LENGTH) or "(unnamed)"


def counted(count: int, noun: str) -> str:
    """Return `1 run` or `2 runs`, for nouns that take an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def end_of_name(name: str, max_length: int) -> str:
    """Return a name as it is shown, shortened at the front: its end tells it from others."""
    shown = single_line(name) or name_of(name)
    return shown if len(shown) <= max_length else f"…{shown[1 - max_length :]}"
