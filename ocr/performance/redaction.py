"""Secrets taken out of a config before it enters a `Run`, a document or a report."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr.performance.run import JsonValue

REDACTED = "<redacted>"

_SECRET_WORDS = frozenset(
    {
        "auth",
        "authorization",
        "cookie",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "passwords",
        "pwd",
        "secret",
        "secrets",
        "token",
    }
)
_SECRET_PHRASES = (
    "accesskey",
    "accesstoken",
    "accountkey",
    "apikey",
    "apitoken",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "connectionstring",
    "encryptionkey",
    "privatekey",
    "secretkey",
    "signingkey",
    "sshkey",
    "userpassword",
)
_WORD_BREAK = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_URL_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#]+@")
_URL_PARAMETER = re.compile(r"(?P<name>[?&;](?P<key>[^=&;#\s]+)=)[^&;#\s]*")


def is_secret_key(key: str) -> bool:
    """Say whether a config key names a secret: `wandb.api_key`, `authToken`, `DB_PASSWORD`.

    Whole words decide, so that `tokenizer`, `max_tokens`, `num_tokens` and `author` stay.
    """
    words = [word.lower() for word in _WORD_BREAK.split(key) if word]
    joined = "".join(words)
    has_phrase = any(phrase in joined for phrase in _SECRET_PHRASES)
    return has_phrase or not _SECRET_WORDS.isdisjoint(words)


def redact_text(text: str) -> str:
    """Return the text without the credentials of any URL in it.

    The user part (`https://user:pass@host`) goes, and the value of each query parameter whose
    name is that of a secret (`?token=…`).
    """
    without_user = _URL_CREDENTIALS.sub(rf"\g<scheme>{REDACTED}@", text)
    return _URL_PARAMETER.sub(_redact_parameter, without_user)


def redact(config: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return the config as JSON values, each secret replaced by `REDACTED`, at any depth.

    Keys become text; paths and other objects become their text; NaN and infinities, which JSON
    has no word for, become "NaN", "Infinity" and "-Infinity". The input stays as it is.
    """
    return {str(key): _redact_entry(str(key), value) for key, value in config.items()}


def _redact_entry(key: str, value: object) -> JsonValue:
    if value is not None and not isinstance(value, bool) and is_secret_key(key):
        return REDACTED
    return _redact_value(value)


def _redact_value(value: object) -> JsonValue:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _name_of_non_finite(value)
    if isinstance(value, Mapping):
        return redact(value)
    if isinstance(value, (Sequence, Set)) and not isinstance(value, (str, bytes)):
        return [_redact_value(entry) for entry in value]
    return redact_text(str(value))


def _name_of_non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _redact_parameter(found: re.Match[str]) -> str:
    secret = is_secret_key(found["key"])
    return f"{found['name']}{REDACTED}" if secret else found[0]
