"""Secrets taken out of a config before it enters a `Run`, a document or a report."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from ocr_baseline.model.private_text import REDACTED, is_secret_key, redact_text, shorten_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr_baseline.model.run import JsonValue

__all__ = ["REDACTED", "config_hash", "is_secret_key", "redact", "redact_arguments", "redact_text"]

MAX_DEPTH = 50
MAX_TEXT_LENGTH = 10_000
MAX_ENTRIES = 100_000
LEFT_OUT = "<left out: too deep, too long or in itself>"

_HASH = re.compile(r"[0-9a-f]{40}")
_HASH_WORDS = ("commit", "hash", "sha", "digest", "revision")
"""Keys whose 40 hexadecimal digits are a hash and no API key."""


def redact(config: Mapping[str, object], *, allowed: Iterable[str] = ()) -> dict[str, JsonValue]:
    """Return the config as JSON values, each secret replaced by `REDACTED`, at any depth.

    Keys become text; functions and classes become their dotted names, other objects their text
    (the first 10,000 characters), where they have one; NaN and infinities, which JSON has no word
    for, become "NaN", "Infinity" and "-Infinity". What is nested in itself or
    deeper than 50 levels, or comes after 100,000 entries, is left out. The input stays as it is.

    Args:
        config: What to redact.
        allowed: Dotted paths of entries that may be shown although they look like secrets, as in
            `model.auth_token_embedding`.
    """
    return _Redaction(frozenset(allowed)).mapping(config, "", 0)


def config_hash(redacted: Mapping[str, JsonValue]) -> str:
    """Return the SHA-256 of a redacted configuration as canonical JSON."""
    canonical = json.dumps(redacted, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def redact_arguments(arguments: Iterable[object]) -> list[str]:
    """Return a command's arguments without secrets: `key=…`, `--key=…` and `--key …`."""
    return list(_redacted_arguments(arguments))


def _redacted_arguments(arguments: Iterable[object]) -> Iterator[str]:
    is_value_of_secret = False
    for argument in map(str, arguments):
        key, equals, _ = argument.partition("=")
        is_option = argument.startswith("-")
        if is_value_of_secret and not is_option:
            yield REDACTED
        elif equals and is_secret_key(key):
            yield f"{key}={REDACTED}"
        else:
            yield redact_text(argument)
        is_value_of_secret = is_option and not equals and is_secret_key(key)


class _Redaction:
    """One config's way to JSON; `path` is the dotted path of what a method is given."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._open: set[int] = set()
        self._entries_left = MAX_ENTRIES

    def mapping(self, config: Mapping[Any, object], path: str, depth: int) -> dict[str, JsonValue]:
        prefix = f"{path}." if path else ""
        named = ((_text_of(key), value) for key, value in config.items())
        return {
            redact_text(key): self._entry(key, value, prefix + key, depth) for key, value in named
        }

    def _entry(self, key: str, value: object, path: str, depth: int) -> JsonValue:
        if path in self._allowed:
            return self._value(value, path, depth, is_allowed=True)
        if value is not None and not isinstance(value, bool) and is_secret_key(key):
            return REDACTED
        if isinstance(value, str) and _HASH.fullmatch(value):
            return value if any(word in key.lower() for word in _HASH_WORDS) else REDACTED
        return self._value(value, path, depth)

    def _value(
        self, value: object, path: str, depth: int, *, is_allowed: bool = False
    ) -> JsonValue:
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else _name_of_non_finite(value)
        if isinstance(value, (Mapping, Sequence, Set)) and not isinstance(value, (str, bytes)):
            return self._nested(value, path, depth, is_allowed=is_allowed)
        text = _text_of(value)
        return shorten_paths(text) if is_allowed else redact_text(text)

    def _nested(
        self,
        value: Mapping[Any, object] | Sequence[object] | Set[object],
        path: str,
        depth: int,
        *,
        is_allowed: bool,
    ) -> JsonValue:
        self._entries_left -= len(value)
        if depth > MAX_DEPTH or self._entries_left < 0 or id(value) in self._open:
            return LEFT_OUT
        self._open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self.mapping(value, path, depth + 1)
            return [self._value(entry, path, depth + 1, is_allowed=is_allowed) for entry in value]
        finally:
            self._open.discard(id(value))


def _text_of(value: object) -> str:
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{getattr(value, '__module__', '')}.{value.__qualname__}"
    try:
        return str(value)[:MAX_TEXT_LENGTH]
    except Exception:  # noqa: BLE001 - the text of any object of a user's may fail in any way
        return f"<{type(value).__name__} without a text>"


def _name_of_non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
