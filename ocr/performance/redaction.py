"""Secrets taken out of a config before it enters a `Run`, a document or a report."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

from ocr.performance.private_text import REDACTED, is_secret_key, redact_text, shorten_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr.performance.run import JsonValue

__all__ = ["REDACTED", "is_secret_key", "redact", "redact_arguments", "redact_text"]

_HASH = re.compile(r"[0-9a-f]{40}")
_HASH_WORDS = ("commit", "hash", "sha", "digest", "revision")
"""Keys whose 40 hexadecimal digits are a hash and no API key."""


def redact(config: Mapping[str, object], *, allowed: Iterable[str] = ()) -> dict[str, JsonValue]:
    """Return the config as JSON values, each secret replaced by `REDACTED`, at any depth.

    Keys become text; paths and other objects become their text; NaN and infinities, which JSON
    has no word for, become "NaN", "Infinity" and "-Infinity". The input stays as it is.

    Args:
        config: What to redact.
        allowed: Dotted paths of entries that may be shown although they look like secrets, as in
            `model.auth_token_embedding`.
    """
    return _redact_mapping(config, "", frozenset(allowed))


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


def _redact_mapping(
    config: Mapping[str, object], path: str, allowed: frozenset[str]
) -> dict[str, JsonValue]:
    return {
        redact_text(str(key)): _redact_entry(str(key), value, f"{path}{key}", allowed)
        for key, value in config.items()
    }


def _redact_entry(key: str, value: object, path: str, allowed: frozenset[str]) -> JsonValue:
    if path in allowed:
        return _redact_value(value, path, allowed, is_allowed=True)
    if value is not None and not isinstance(value, bool) and is_secret_key(key):
        return REDACTED
    if isinstance(value, str) and _HASH.fullmatch(value):
        return value if any(word in key.lower() for word in _HASH_WORDS) else REDACTED
    return _redact_value(value, path, allowed)


def _redact_value(
    value: object, path: str, allowed: frozenset[str], *, is_allowed: bool = False
) -> JsonValue:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _name_of_non_finite(value)
    if isinstance(value, Mapping):
        return _redact_mapping(value, f"{path}.", allowed)
    if isinstance(value, (Sequence, Set)) and not isinstance(value, (str, bytes)):
        return [_redact_value(entry, path, allowed) for entry in value]
    return shorten_paths(str(value)) if is_allowed else redact_text(str(value))


def _name_of_non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
