"""The one gate: what leaves this process, in a record, a document or a message, passes it."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ocr_baseline.model.privacy.alphabet import visible
from ocr_baseline.model.privacy.keys import is_hash_key
from ocr_baseline.model.privacy.known import KNOWN
from ocr_baseline.model.privacy.text import outward_hash, outward_text, redact_secrets
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    LoggerAdapter = logging.LoggerAdapter[logging.Logger]
else:
    LoggerAdapter = logging.LoggerAdapter  # takes no parameter before Python 3.11

MAX_LOGGED = 20_000
"""Letters of a message; the rules for secrets take a second for a million."""

_PLAIN = frozenset({int, float, bool, type(None)})
_PREFIXES = frozenset({"op", "callbacks"})
"""Lines of named operations and of other callbacks: the name after the colon is someone's own."""


class Names:
    """Names as they are shown, each apart: two that are shown alike are numbered."""

    def __init__(self) -> None:
        self._by_shown: dict[str, dict[str, str]] = {}

    def __call__(self, name: str) -> str:
        """Return the name without secrets, the same one for the same name each time."""
        prefix, colon, rest = name.partition(":")
        if colon and prefix in _PREFIXES:
            return f"{prefix}:{self(rest)}"
        shown = outward_text(name)
        if shown == name:
            return name
        alike = self._by_shown.setdefault(shown, {})
        if name not in alike:
            alike[name] = f"{shown} ({len(alike) + 1})" if alike else shown
        return alike[name]


def outward(value: Any, names: Names | None = None, *, max_age_s: float = 0.0) -> Any:
    """Return a JSON value whose texts and keys hold no secrets and only visible characters.

    Numbers aren't looked at, and a list of them is returned as it is. Of an object with a `name`,
    the name is one of `names` too.

    Args:
        value: What `json.dumps` takes.
        names: Where the same names were shown before.
        max_age_s: Secrets of the environment may have been read so long ago.
    """
    KNOWN.read_environment(max_age_s=max_age_s)
    return _outward(value, names or Names())


def _outward(value: Any, names: Names) -> Any:
    if isinstance(value, str):
        return outward_text(value)
    if isinstance(value, Mapping):
        return {
            names(key) if isinstance(key, str) else key: _entry(key, item, names)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        # A column of numbers passes as it is: of a million batches, a copy is hundreds of MB.
        if _PLAIN.issuperset(map(type, value)):
            return value
        return [item if type(item) in _PLAIN else _outward(item, names) for item in value]
    return value


def _entry(key: object, item: Any, names: Names) -> Any:
    if isinstance(item, str) and isinstance(key, str):
        if key == "name":
            return names(item)
        if is_hash_key(key):
            return outward_hash(item)
    return item if type(item) in _PLAIN else _outward(item, names)


def _message(msg: object, args: tuple[object, ...]) -> str:
    return str(msg) % args if args else str(msg)


def _redacted_trace(exc_info: object) -> str:
    """Return the lines of a traceback, which a handler would add to the message as they are."""
    error = sys.exc_info()[1] if exc_info is True else exc_info
    if not isinstance(error, BaseException):
        return ""
    lines = "".join(traceback.format_exception(error))[:MAX_LOGGED].splitlines()
    return "".join(f"\n{redact_secrets(visible(line))}" for line in lines)


class OutwardLogger(LoggerAdapter):
    """A logger whose messages pass the gate, arguments and exceptions' texts included."""

    def __init__(self, name: str) -> None:
        """Take the module's name."""
        super().__init__(logging.getLogger(name), {})

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a message as one text without secrets."""
        if self.isEnabledFor(level):
            KNOWN.read_environment()
            text = " ".join(_message(msg, args)[:MAX_LOGGED].split())
            trace = _redacted_trace(kwargs.pop("exc_info", None))
            kwargs.setdefault("stacklevel", 1)
            kwargs["stacklevel"] += 1
            with suppress_failures():  # a logging handler of the user's may raise
                super().log(level, "%s", redact_secrets(visible(text)) + trace, **kwargs)

    def process(
        self, msg: object, kwargs: MutableMapping[str, Any]
    ) -> tuple[object, MutableMapping[str, Any]]:
        """Return the message as it is: there is nothing to add."""
        return msg, kwargs
