"""Text from outside (names, errors, configuration) made fit to stand on one line."""

from __future__ import annotations

import re

MAX_NAME_LENGTH = 120

_ANSI_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_WHITESPACE = re.compile(r"\s+")
# C0 and C1 controls, and the marks that turn or hide the text around them.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def single_line(text: str, max_length: int | None = None) -> str:
    """Return the text without line breaks, escape sequences and invisible characters.

    A text longer than `max_length` keeps its beginning and ends in an ellipsis; a lone surrogate,
    which no encoding can write, becomes U+FFFD.
    """
    text = _ANSI_SEQUENCE.sub("", text)
    text = _WHITESPACE.sub(" ", text)
    text = _INVISIBLE.sub("", text)
    text = _SURROGATE.sub("\ufffd", text).strip()
    if max_length is not None and len(text) > max_length:
        return text[: max_length - 1].rstrip() + "…"
    return text


def name_of(text: str) -> str:
    """Return a name as it is shown: one line, at most `MAX_NAME_LENGTH` characters, never empty."""
    return single_line(text, MAX_NAME_LENGTH) or "(unnamed)"


def counted(count: int, noun: str) -> str:
    """Return `1 run` or `2 runs`, for nouns that take an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
