"""What no report may give away: secrets in configurations and texts, home folders, user names.

Credentials are told by the name of their key and by their shape: the prefixes that the services
document for their tokens, the user part of a URL, what follows the name of a secret. The rest of a
text stays as it is.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr_baseline.model.run import JsonValue

REDACTED = "<redacted>"
USER = "<user>"
MIN_USER_NAME_LENGTH = 3
_COMMON_ACCOUNTS = frozenset({"root", "user", "ubuntu", "runner", "data", "work", "app"})
"""Names that tell nothing of a person and stand in paths for other reasons."""

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
_URL_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/?#]+@")
_URL_PARAMETER = re.compile(r"(?P<name>[?&;](?P<key>[^=&;#?\s]{1,100})=)[^&;#\s]*")
_TOKEN_SHAPES = re.compile(
    r"\b(?:"
    r"gh[opusr]_[A-Za-z0-9]{20,}"  # GitHub
    r"|github_pat_[A-Za-z0-9_]{20,}"
    r"|glpat-[A-Za-z0-9_-]{16,}"  # GitLab
    r"|hf_[A-Za-z0-9]{20,}"  # Hugging Face
    r"|sk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS
    r"|AIza[A-Za-z0-9_-]{30,}"  # Google
    r"|wandb_v\d_[A-Za-z0-9_]{16,}"  # Weights & Biases
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # JSON web token
    r")"
    r"|(?<![A-Za-z0-9_/.:-])[0-9a-f]{40}(?![A-Za-z0-9_/.:-])"  # Weights & Biases, older
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_AFTER_WORD = re.compile(
    r"(?P<name>\b(?:bearer|basic|password|passwd)[ \t]+)(?P<value>[A-Za-z0-9+/_.~=!$%^&*-]{8,})",
    re.IGNORECASE,
)
_NETRC = re.compile(r"(?P<name>\b(?:login\s+\S{1,200}\s+)?password\s+)\S+")
_NAME = re.compile(r"(?P<quote>[\"']?)(?<![\w.-])(?P<key>[\w.-]{1,100})(?P=quote)\s?[=:]\s?")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s,;&#'\"}\])]+")
_HOME = re.compile(r"(?<![\w.~-])(?:/home|/Users|/var/home|[A-Za-z]:\\Users)[/\\][^/\\\s:;,'\"]+")


def is_secret_key(key: str) -> bool:
    """Say whether a key names a secret: `wandb.api_key`, `authToken`, `DB_PASSWORD`.

    Whole words decide, so that `tokenizer`, `max_tokens`, `num_tokens` and `author` stay.
    """
    words = [word.lower() for word in _WORD_BREAK.split(key) if word]
    joined = "".join(words)
    has_phrase = any(phrase in joined for phrase in _SECRET_PHRASES)
    return has_phrase or not _SECRET_WORDS.isdisjoint(words)


def redact_text(text: str) -> str:
    """Return the text without credentials, home folders and the user's name in paths.

    What goes: the user part of a URL and its secret parameters, tokens of a known shape, private
    keys, what follows `password` or `Bearer`, the value of `key=value` or `key: value` under the
    name of a secret. A home folder becomes `~`.
    """
    text = _URL_CREDENTIALS.sub(rf"\g<scheme>{REDACTED}@", text)
    text = _URL_PARAMETER.sub(_redact_named, text)
    text = _TOKEN_SHAPES.sub(REDACTED, text)
    text = _NETRC.sub(rf"\g<name>{REDACTED}", text) if "machine " in text else text
    text = _AFTER_WORD.sub(rf"\g<name>{REDACTED}", text)
    return shorten_paths(_redact_pairs(text))


def error_text(error: BaseException) -> str:
    """Return an exception's type and message as a report names it, without credentials."""
    try:
        message = redact_text(str(error))
    except Exception:  # noqa: BLE001 - an exception of the user's own may fail to say what it is
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def shorten_paths(text: str) -> str:
    """Return the text with `~` for each home folder and `<user>` for the user's name in paths."""
    own_home, user_name = _account()
    if own_home is not None:
        text = own_home.sub("~", text)
    text = _HOME.sub("~", text)
    return text if user_name is None else user_name.sub(USER, text)


def _redact_pairs(text: str) -> str:
    parts, end = [], 0
    for name in _NAME.finditer(text):
        if name.start() >= end and is_secret_key(name["key"]):
            value = _VALUE.match(text, name.end())
            if value is not None:
                parts += [text[end : name.end()], REDACTED]
                end = value.end()
    return "".join([*parts, text[end:]])


def _redact_named(found: re.Match[str]) -> str:
    return f"{found['name']}{REDACTED}" if is_secret_key(found["key"]) else found[0]


@lru_cache(maxsize=1)
def _account() -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Return patterns of this account's home folder, and of its name as a part of a path."""
    try:
        home = str(Path.home())
    except RuntimeError:
        home = ""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in containers
        name = ""
    own_home = re.compile(rf"(?<![\w.~-]){re.escape(home)}(?![\w.-])") if len(home) > 1 else None
    tells = len(name) >= MIN_USER_NAME_LENGTH and name not in _COMMON_ACCOUNTS
    user_name = re.compile(rf"(?<=[/\\]){re.escape(name)}(?=[/\\]|$)") if tells else None
    return own_home, user_name


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
