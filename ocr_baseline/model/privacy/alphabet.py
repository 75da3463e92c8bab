"""The characters that any output may hold: none is invisible, turns text or drives a screen."""

from __future__ import annotations

import re

_ANSI_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # C0 and C1 controls, line feed and tab apart
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, bidi mark
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero width, bidi marks and their overrides
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"  # fillers, variation selectors, byte order mark
    "\U00013430-\U0001343f"  # joiners of hieroglyphs
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # controls of shorthand and of music
    "\U000e0000-\U000e0fff]"  # tags and the variation selectors beside them
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\n\t]|##\[")
_OLD_COMMAND = "##["
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)


def visible(text: str) -> str:
    """Return the text without escape sequences, controls and invisible characters.

    Line feeds and tabs stay, and every other line break becomes a line feed. A lone surrogate,
    which no encoding can write, becomes U+FFFD. `##[`, which GitHub Actions takes for a command
    wherever it stands, gets a space.
    """
    if _UNPRINTABLE.search(text) is None:
        return text
    text = _ANSI_SEQUENCE.sub("", text)
    text = _INVISIBLE.sub("", _LINE_BREAK.sub("\n", text))
    return _SURROGATE.sub("\ufffd", text).replace(_OLD_COMMAND, "# #[")


def without_commands(text: str) -> str:
    """Return the text with no line that GitHub Actions would run: `::error::` gets a space."""
    return _COMMAND.sub(r"\1: ", text) if "::" in text else text
