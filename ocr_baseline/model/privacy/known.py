"""Secrets known by their value: what secret-named variables and configuration entries hold.

They go wherever they appear, in the name of a section or the message of an exception. The process
keeps them for its life: a secret of one run is none of another's report either.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from ocr_baseline.clocks import monotonic
from ocr_baseline.model.privacy.keys import Suspicion, suspicion
from ocr_baseline.model.privacy.values import REDACTED, can_be_secret, is_words

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_LENGTH = 6
MIN_WORD_LENGTH = 10
"""A password that is a word stands in other texts for other reasons, unless it is long."""

MAX_KNOWN = 10_000
MAX_LENGTH = 10_000
_LONG = 12


class KnownSecrets:
    """The values to look for; `version` changes with them."""

    def __init__(self) -> None:
        self.version = 0
        self.shown: frozenset[str] = frozenset()
        self._learned: set[str] = set()
        self._from_environment: frozenset[str] = frozenset()
        self._read_at_s = float("-inf")
        self._pattern: re.Pattern[str] | None = None

    def learn(self, values: Iterable[str]) -> None:
        """Look for these values from now on, those that could be no other word."""
        new = {value.strip() for value in values if _is_telling(value.strip())} - self._learned
        if new and len(self._learned) + len(new) <= MAX_KNOWN:
            self._learned |= new
            self._compile()

    def values(self) -> tuple[str, ...]:
        """Return the values that are looked for, for a process that begins without them."""
        return tuple(self._learned | self._from_environment)

    def show(self, value: str) -> None:
        """Let this text pass whole: its owner named it as no secret."""
        if value not in self.shown and len(self.shown) < MAX_KNOWN:
            self.shown |= {value}
            self.version += 1

    def read_environment(self, *, max_age_s: float = 0.0) -> None:
        """Learn the values of the secret-named variables, unless that was done so lately."""
        now_s = monotonic()
        if max_age_s and now_s - self._read_at_s < max_age_s:
            return
        self._read_at_s = now_s
        values = frozenset(
            value.strip()
            for name, value in os.environ.items()
            if (level := suspicion(name)) is not Suspicion.NONE
            and can_be_secret(value, level)
            and _is_telling(value.strip())
        )
        if values != self._from_environment:
            self._from_environment = values
            self._compile()

    def redact(self, text: str) -> str:
        """Return the text without any known value."""
        return text if self._pattern is None else self._pattern.sub(REDACTED, text)

    def _compile(self) -> None:
        values = self._learned | self._from_environment
        forms = {form for value in values for form in _forms(value)}
        alternatives = [_alternative(form) for form in sorted(forms, key=len, reverse=True)]
        self._pattern = re.compile("|".join(alternatives)) if alternatives else None
        self.version += 1


def _is_telling(value: str) -> bool:
    """Say whether a value is long and odd enough to be looked for in any text."""
    if not MIN_LENGTH <= len(value) <= MAX_LENGTH or value in REDACTED:
        return False
    return not is_words(value) or len(value) >= MIN_WORD_LENGTH


def _forms(value: str) -> set[str]:
    escaped = value.encode("unicode_escape").decode()
    # Python reads what isn't in the system's encoding as lone surrogates, which no URL can hold.
    percent = quote(value, safe="", errors="replace")
    return {value, escaped, percent, quote_plus(value, errors="replace")}


def _alternative(form: str) -> str:
    escaped = re.escape(form)
    if len(form) >= _LONG:
        return escaped
    return rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])"


KNOWN = KnownSecrets()
