"""Secrets in configurations and in the arguments of a command."""

from __future__ import annotations

import hashlib
import json
import math
from itertools import islice
from typing import TYPE_CHECKING

from ocr_baseline.model.privacy.keys import MAX_KEY_LENGTH, Suspicion, is_hash_key, suspicion
from ocr_baseline.model.privacy.known import KNOWN
from ocr_baseline.model.privacy.paths import shorten_paths
from ocr_baseline.model.privacy.plain import Entries, Items, Name, containers, key_text, scalar
from ocr_baseline.model.privacy.text import (
    holds_secret,
    redact_again,
    redact_hash,
    redact_text,
)
from ocr_baseline.model.privacy.values import REDACTED
from ocr_baseline.signal_errors import let_through, suppress_failures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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

    No code of the user's runs for it. Functions and classes become their dotted names, objects with
    declared fields (dataclasses, pydantic, attrs) and namespaces mappings, other objects the name
    of their class; texts end after 10,000 characters; NaN and infinities, which JSON has no word
    for, become "NaN", "Infinity" and "-Infinity". What is nested in itself or deeper than 50
    levels, can't be read, or comes after 10,000 entries or a million letters, is left out. The
    interpolations of OmegaConf's containers stay unresolved. The input stays as it is.

    Args:
        config: What to redact.
        allowed: Dotted paths of entries that may be shown although they look like secrets, as in
            `model.auth_token_embedding`.
    """
    KNOWN.read_environment()
    shown = frozenset(allowed)
    before = KNOWN.version
    first = _Redaction(shown)
    pairs = _bounded(config)
    redacted = first.mapping(pairs, "", 0, Suspicion.NONE)
    KNOWN.learn(first.secrets)
    if KNOWN.version == before:
        return redacted
    return _Redaction(shown).mapping(pairs, "", 0, Suspicion.NONE)


def _bounded(config: Mapping[str, object]) -> list[tuple[object, object]]:
    """Return the first entries; of a mapping of another make than Python's, by its own methods."""
    held = containers(config)
    pairs = held.pairs if isinstance(held, Entries) else iter(config.items())
    left_out = len(config) - MAX_ENTRIES
    first = list(islice(pairs, MAX_ENTRIES))
    return first if left_out <= 0 else [*first, (LEFT_OUT, left_out)]


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


def _level_after(previous: str | None) -> Suspicion:
    """Return the suspicion of what follows a text in a list: the value after `--token`.

    A bare word in a list is often no name, so that only what isn't made of words follows it.
    """
    if previous is None or "=" in previous or len(previous) > MAX_KEY_LENGTH:
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
        self,
        pairs: Iterable[tuple[object, object]],
        path: str,
        depth: int,
        under: Suspicion,
    ) -> dict[str, JsonValue]:
        prefix = f"{path}." if path else ""
        named = [(key_text(key)[:MAX_TEXT_LENGTH], value) for key, value in pairs]
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
        if level is Suspicion.NONE and is_hash_key(key) and issubclass(type(value), str):
            return redact_hash(str.__str__(value)[:MAX_TEXT_LENGTH])
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
        try:
            told = containers(value) or scalar(value)
        except Exception as error:  # noqa: BLE001 - what a library makes of its own may fail
            let_through(error)
            return LEFT_OUT
        if isinstance(told, Entries | Items):
            return self._nested(value, told, path, depth, under, is_allowed=is_allowed)
        if told is None or isinstance(told, bool):
            return told
        if isinstance(told, int):
            return told if told.bit_length() <= MOST_BITS else LEFT_OUT
        if isinstance(told, float):
            return told if math.isfinite(told) else _name_of_non_finite(told)
        text = (told.text if isinstance(told, Name) else told)[:MAX_TEXT_LENGTH]
        self._letters_left -= len(text)
        if self._letters_left < 0:
            return LEFT_OUT
        if is_allowed:
            KNOWN.show(shorten_paths(text))
            return shorten_paths(text)
        if not isinstance(told, Name) and holds_secret(text, under):
            self.secrets.add(_content_of(value, text))
            return REDACTED
        return redact_again(text)

    def _nested(
        self,
        value: object,
        held: Entries | Items,
        path: str,
        depth: int,
        under: Suspicion,
        *,
        is_allowed: bool,
    ) -> JsonValue:
        self._entries_left -= held.size
        if depth > MAX_DEPTH or self._entries_left < 0 or id(value) in self._open:
            return LEFT_OUT
        nested: JsonValue = LEFT_OUT
        self._open.add(id(value))
        with suppress_failures():  # another thread may change it meanwhile
            if isinstance(held, Entries):
                nested = self.mapping(held.pairs, path, depth + 1, under)
            else:
                nested = self._items(held.values, path, depth + 1, under, is_allowed=is_allowed)
        self._open.discard(id(value))
        return REDACTED if under is Suspicion.STRONG and _holds_text(nested) else nested

    def _items(
        self,
        values: Iterable[object],
        path: str,
        depth: int,
        under: Suspicion,
        *,
        is_allowed: bool,
    ) -> list[JsonValue]:
        items: list[JsonValue] = []
        previous: str | None = None
        for entry in values:
            level = Suspicion.NONE if is_allowed else max(under, _level_after(previous))
            items.append(self._value(entry, path, depth, level, is_allowed=is_allowed))
            previous = str.__str__(entry) if issubclass(type(entry), str) else None
        return items


def _level_of(key: str, path: str) -> Suspicion:
    """Return the suspicion of a key, which what it stands in may raise: `api.key`."""
    level = suspicion(key[-MAX_KEY_LENGTH:])
    if level is not Suspicion.HINT:
        return level
    return max(level, suspicion(".".join(path.split(".")[-2:])[-MAX_KEY_LENGTH:]))


def _level_of_named_value(named: Sequence[tuple[str, object]]) -> Suspicion:
    """Return the suspicion of the value in `{"name": "API_KEY", "value": …}`."""
    texts = (value for key, value in named if key.lower() in _NAME_KEYS)
    names = (str.__str__(text) for text in texts if issubclass(type(text), str))
    return max((suspicion(name[-MAX_KEY_LENGTH:]) for name in names), default=Suspicion.NONE)


def _holds_text(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_text, value.values()))
    return any(map(_holds_text, value)) if isinstance(value, list) else isinstance(value, str)


def _content_of(value: object, text: str) -> str:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    return text


def _name_of_non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
