"""Secrets in configurations and in the arguments of a command."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence, Set
from itertools import islice
from typing import TYPE_CHECKING, Any

from ocr_baseline.model.privacy.keys import MAX_KEY_LENGTH, Suspicion, is_hash_key, suspicion
from ocr_baseline.model.privacy.known import KNOWN
from ocr_baseline.model.privacy.paths import shorten_paths
from ocr_baseline.model.privacy.text import (
    holds_secret,
    redact_again,
    redact_hash,
    redact_text,
)
from ocr_baseline.model.privacy.values import REDACTED
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocr_baseline.model.run import JsonValue

MAX_DEPTH = 50
MAX_TEXT_LENGTH = 10_000
MAX_ENTRIES = 10_000
MAX_LETTERS = 1_000_000
"""Of all texts together: the rules for secrets take 30 us an entry and a fifth of a second for so
many letters, and a configuration passes them twice as a training starts."""
MOST_BITS = 1024
"""Of a whole number. Python writes none of more than 4,300 digits, and no reader of JSON takes one
that is beyond a double's range."""
LEFT_OUT = "<left out: too deep, too long, in itself or unreadable>"

_NAME_KEYS = frozenset({"name", "key", "variable", "var", "header", "env"})
_VALUE_KEYS = frozenset({"value", "val", "content", "default"})


def redact(config: Mapping[str, object], *, allowed: Iterable[str] = ()) -> dict[str, JsonValue]:
    """Return the config as JSON values, each secret replaced by `REDACTED`, at any depth.

    A secret goes by the name of its key, and then wherever else its value appears. Numbers,
    switches and plain words stay under any key. A mapping under `password` or `credentials` that
    holds any text goes whole.

    Keys become text; functions and classes become their dotted names, other objects their text
    (the first 10,000 characters), where they have one; NaN and infinities, which JSON has no word
    for, become "NaN", "Infinity" and "-Infinity". What is nested in itself or deeper than 50
    levels, can't be read, or comes after 10,000 entries or a million letters, is left out. The
    interpolations of OmegaConf's containers stay unresolved. The input stays as it is.

    Args:
        config: What to redact.
        allowed: Dotted paths of entries that may be shown although they look like secrets, as in
            `model.auth_token_embedding`.
    """
    KNOWN.read_environment()
    config = unresolved(config)
    shown = frozenset(allowed)
    before = KNOWN.version
    first = _Redaction(shown)
    config = _bounded(config)
    redacted = first.mapping(config, "", 0, Suspicion.NONE)
    KNOWN.learn(first.secrets)
    if KNOWN.version == before:
        return redacted
    return _Redaction(shown).mapping(config, "", 0, Suspicion.NONE)


def unresolved(value: Any) -> Any:
    """Return a container of OmegaConf's as plain ones, anything else as it is.

    Its interpolations are text there: a resolver is code of the user's, and may do anything.
    """
    omegaconf = sys.modules.get("omegaconf")  # where it isn't loaded, none of its can be here
    if omegaconf is None or not omegaconf.OmegaConf.is_config(value):
        return value
    return omegaconf.OmegaConf.to_container(value, resolve=False)


def _bounded(config: Mapping[str, object]) -> Mapping[str, object]:
    left_out = len(config) - MAX_ENTRIES
    if left_out <= 0:
        return config
    return {**dict(islice(config.items(), MAX_ENTRIES)), LEFT_OUT: left_out}


def config_hash(redacted: Mapping[str, JsonValue]) -> str:
    """Return the SHA-256 of a redacted configuration as canonical JSON.

    Two configurations that differ in secrets alone have the same hash; whatever a report shows of
    them, numbers and words under keys like `token_dim` included, makes the hash another one.
    """
    canonical = json.dumps(redacted, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def redact_arguments(arguments: Iterable[object]) -> list[str]:
    """Return a command's arguments without secrets: `key=…`, `--key=…`, `--key …` and `key …`."""
    texts = [str(argument) for argument in arguments]
    KNOWN.learn(_secrets_in_arguments(texts))
    return [
        redact_text(text) if secret is None else text.removesuffix(secret) + REDACTED
        for text, secret in zip(texts, _argument_secrets(texts), strict=True)
    ]


def _secrets_in_arguments(texts: Sequence[str]) -> Iterator[str]:
    return (secret for secret in _argument_secrets(texts) if secret is not None)


def _argument_secrets(texts: Sequence[str]) -> Iterator[str | None]:
    """Yield the secret that each argument ends in, None where there is none."""
    for previous, text in zip(("", *texts), texts, strict=False):
        key, equals, value = text.partition("=")
        if equals and holds_secret(value, suspicion(key)):
            yield value
        else:
            yield text if holds_secret(text, _level_after(previous)) else None


def _level_after(previous: object) -> Suspicion:
    """Return the suspicion of what follows a text in a list: the value after `--token`.

    A bare word in a list is often no name, so that only what isn't made of words follows it.
    """
    if not isinstance(previous, str) or "=" in previous or len(previous) > MAX_KEY_LENGTH:
        return Suspicion.NONE
    level = suspicion(previous)
    return level if previous.startswith("-") else min(level, Suspicion.NAMED)


class _Redaction:
    """One config's way to JSON; `path` is the dotted path of what a method is given.

    `secrets` are the texts that went because of their keys.
    """

    def __init__(self, allowed: frozenset[str]) -> None:
        self.secrets: set[str] = set()
        self._allowed = allowed
        self._open: set[int] = set()
        self._entries_left = MAX_ENTRIES
        self._letters_left = MAX_LETTERS

    def mapping(
        self, config: Mapping[Any, object], path: str, depth: int, under: Suspicion
    ) -> dict[str, JsonValue]:
        prefix = f"{path}." if path else ""
        named = [(_text_of(key), value) for key, value in config.items()]
        level = max(under, _level_of_named_value(named))
        return {
            redact_again(key): self._entry(
                key, value, prefix + key, depth, level if key.lower() in _VALUE_KEYS else under
            )
            for key, value in named
        }

    def _entry(self, key: str, value: object, path: str, depth: int, under: Suspicion) -> JsonValue:
        if path in self._allowed:
            return self._value(value, path, depth, Suspicion.NONE, is_allowed=True)
        level = max(_level_of(key, path), under)
        if isinstance(value, str) and level is Suspicion.NONE and is_hash_key(key):
            return redact_hash(value[:MAX_TEXT_LENGTH])
        return self._value(value, path, depth, level)

    def _value(
        self,
        value: object,
        path: str,
        depth: int,
        under: Suspicion,
        *,
        is_allowed: bool = False,
    ) -> JsonValue:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if int.bit_length(value) <= MOST_BITS else LEFT_OUT
        if isinstance(value, float):
            return value if math.isfinite(value) else _name_of_non_finite(value)
        if isinstance(value, (Mapping, Sequence, Set)) and not isinstance(
            value, (str, bytes, bytearray)
        ):
            return self._nested(unresolved(value), path, depth, under, is_allowed=is_allowed)
        text = _text_of(value)
        self._letters_left -= len(text)
        if self._letters_left < 0:
            return LEFT_OUT
        if is_allowed:
            KNOWN.show(shorten_paths(text))
            return shorten_paths(text)
        if not callable(value) and holds_secret(text, under):
            self.secrets.add(_content_of(value, text))
            return REDACTED
        return redact_again(text)

    def _nested(
        self,
        value: Mapping[Any, object] | Sequence[object] | Set[object],
        path: str,
        depth: int,
        under: Suspicion,
        *,
        is_allowed: bool,
    ) -> JsonValue:
        nested: JsonValue = LEFT_OUT
        with suppress_failures():  # a container of the user's may raise anything
            self._entries_left -= len(value)
            if depth > MAX_DEPTH or self._entries_left < 0 or id(value) in self._open:
                return LEFT_OUT
            self._open.add(id(value))
            try:
                if isinstance(value, Mapping):
                    nested = self.mapping(value, path, depth + 1, under)
                else:
                    nested = self._items(value, path, depth + 1, under, is_allowed=is_allowed)
            finally:
                self._open.discard(id(value))
        return REDACTED if under is Suspicion.STRONG and _holds_text(nested) else nested

    def _items(
        self,
        value: Sequence[object] | Set[object],
        path: str,
        depth: int,
        under: Suspicion,
        *,
        is_allowed: bool,
    ) -> list[JsonValue]:
        items, previous = [], None
        for entry in value:
            level = Suspicion.NONE if is_allowed else max(under, _level_after(previous))
            items.append(self._value(entry, path, depth, level, is_allowed=is_allowed))
            previous = entry
        return items


def _level_of(key: str, path: str) -> Suspicion:
    """Return the suspicion of a key, which what it stands in may raise: `api.key`."""
    level = suspicion(key[-MAX_KEY_LENGTH:])
    if level is not Suspicion.HINT:
        return level
    return max(level, suspicion(".".join(path.split(".")[-2:])[-MAX_KEY_LENGTH:]))


def _level_of_named_value(named: Sequence[tuple[str, object]]) -> Suspicion:
    """Return the suspicion of the value in `{"name": "API_KEY", "value": …}`."""
    names = (value for key, value in named if key.lower() in _NAME_KEYS and isinstance(value, str))
    return max((suspicion(name[-MAX_KEY_LENGTH:]) for name in names), default=Suspicion.NONE)


def _holds_text(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_text, value.values()))
    return any(map(_holds_text, value)) if isinstance(value, list) else isinstance(value, str)


def _content_of(value: object, text: str) -> str:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    return text


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
