"""Secrets in a text: by value, by shape, by the name before them, and in addresses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ocr_baseline.model.privacy.alphabet import visible
from ocr_baseline.model.privacy.keys import Suspicion, suspicion
from ocr_baseline.model.privacy.known import KNOWN
from ocr_baseline.model.privacy.paths import shorten_paths
from ocr_baseline.model.privacy.shapes import redact_random, redact_shapes
from ocr_baseline.model.privacy.values import REDACTED, can_be_secret, is_mixed, is_wordlike
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from collections.abc import Iterable

_URL_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}://)(?P<user>[^\s/?#]+)@")
_SHELL = re.compile(r"(?:^|\+)(?:ssh|sftp|rsync)://$")
_ACCOUNT = re.compile(r"[a-z]{2,16}")
_ODD_URL_CREDENTIALS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/@:?#]{0,100}:"
    r"(?!\d{1,5}(?:[/?#\s,;)'\"]|$))(?=[^\s/@])[^@\n]{1,200}@(?=[\w\[])"
)
_USER_AND_PASSWORD = re.compile(
    r"(?<![\w./:@-])(?P<user>[\w.-]{1,64}:)(?P<value>[^\s:@/]{6,200})@(?=\w)(?P<dsn>(?:tcp|unix)\()?"
)
_URL_PARAMETER = re.compile(r"(?P<name>[?&;](?P<key>[^=&;#?\s]{1,100})=)(?P<value>[^&;#\s'\"]+)")
_NETRC = re.compile(r"(?P<name>\b(?:login\s+\S{1,200}\s+)?password\s+)\S+")
_AFTER_WORD = re.compile(
    r"(?P<name>(?<![A-Za-z0-9_.-])(?P<word>bearer|basic|password|passwd|passphrase|passwort|secret|"
    r"token|api[ _-]?key|[\w-]{0,40}_(?:password|secret|token|key))[ \t]{1,4}(?:is[ \t]|was[ \t])?"
    r"['\"`]?)(?P<value>[A-Za-z0-9+/_.~=!$%^&*@#-]{6,})",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?P<quote>\\?[\"']|)(?<![\w.-])(?P<key>[\w.-]{1,100})(?P=quote)\]?[ \t]{0,20}"
    r"(?::[ \t]?(?:str|bytes|SecretStr)(?: \| None)?[ \t]?=|[=:])\s{0,20}"
)
_ELEMENT = re.compile(r"(?P<name><(?P<key>[\w.-]{1,100})>)(?P<value>[^<>\n]{1,200})(?=</(?P=key)>)")
_ITEM = re.compile(
    r"(?P<name>(?<=[(\[])(?P<quote>['\"])(?P<key>[\w.-]{1,100})(?P=quote),\s{0,4})"
    r"(?P<value>(?P<around>['\"])[^'\"\n]{1,1000}(?P=around))"
)
"""A pair in a list of pairs: `[('token', '…')]`."""
_QUOTED = r"\\?\"(?:[^\"\\\n]|\\.)*\"?|\\?'(?:[^'\\\n]|\\.)*'?"
_VALUE = re.compile(rf"[bru]{{0,2}}(?:{_QUOTED})|[^\s,;&#'\"}}\])]+", re.IGNORECASE)
_REST_OF_LINE = re.compile(r"[^\r\n'\"}\])]+")
_WHOLE_LINE_KEYS = ("authorization", "cookie")
_WRAPPED = re.compile(r"(?:[A-Za-z_][\w.]{0,80})?[\[({]")
_IN_WRAPPED = re.compile(r"[A-Za-z0-9_+/=.~!@$%^&*-]+")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_MAX_WRAPPED = 2000
_MAX_WRAPPED_VALUES = 50
"""More values in brackets than any real text has cost time; of those, the first entry counts."""


_SUSPECT = re.compile(
    r"[=:@%/\\]|[A-Za-z0-9_+-]{12}|eyJ|bearer|basic|pass|secret|token|key|-----BEGIN", re.IGNORECASE
)
"""What every text that the rules below could change holds; most texts of a report don't."""

_MIN_ODD_PARAMETER = 12
"""A `key` or a `sig` in an address is a word or a number, or it is one that opens something."""

MAX_MESSAGE = 2000
"""Letters of an exception's message that are told."""

_MAX_CUT_SECRET = 500
"""A secret that is cut at its end isn't known as one: so many letters more are looked at."""

MAX_PASSES = 4
_CACHED_LENGTH = 200
_CACHED_TEXTS = 131_072
"""A configuration's keys pass the gate in the header, the document and its text: once is enough."""


def redact_text(text: str) -> str:
    """Return the text without secrets, home folders and the user's name in paths.

    What goes: values of secret-named variables and configuration entries, tokens of a known shape,
    private keys, the user part and the secret parameters of a URL, the value of `key=value` or
    `key: value` under the name of a secret, what follows `password` or `Bearer`, and strings that
    look random. A home folder becomes `~`.
    """
    KNOWN.read_environment()
    return redact_again(text)


def redact_secrets(text: str) -> str:
    """Return the text without secrets; its paths stay, so that they can be used.

    The environment is as it was read last.
    """
    if len(text) <= _CACHED_LENGTH:
        return _redacted(text, KNOWN.version)
    return _redacted.__wrapped__(text, KNOWN.version)


def outward_text(text: str) -> str:
    """Return a text as any output may hold it: visible characters and no secrets.

    The environment is as the last `redact_text` or `outward` read it.
    """
    text = visible(str.__str__(text))  # a subclass of the user's may compare in its own way
    return text if text in KNOWN.shown else redact_again(text)


def redact_again(text: str) -> str:
    """Return what `redact_text` does, with the environment as it was read last."""
    return shorten_paths(redact_secrets(text))


def refresh_known_secrets() -> None:
    """Read the secret-named variables of the environment again."""
    KNOWN.read_environment()


def known_secrets() -> tuple[str, ...]:
    """Return the values that are looked for: for a process of this run's, and for nothing else."""
    return KNOWN.values()


def learn_secrets(values: Iterable[str]) -> None:
    """Look for these values too from now on."""
    KNOWN.learn(values)


def redact_hash(text: str) -> str:
    """Return the text under a key like `git_commit` or `run_id`, which may look random."""
    return shorten_paths(KNOWN.redact(redact_shapes(text)))


def outward_hash(text: str) -> str:
    """Return what `outward_text` does for a text under a key like `git_commit`."""
    return redact_hash(visible(text))


def error_text(error: BaseException) -> str:
    """Return an exception's type and message as a report names it, without credentials.

    Of a long message the beginning is told: rules for secrets take a second for a million letters.
    """
    try:
        KNOWN.read_environment()
        message = outward_text(str(error)[: MAX_MESSAGE + _MAX_CUT_SECRET])
        if len(message) > MAX_MESSAGE:
            message = f"{message[:MAX_MESSAGE]}…"
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # noqa: BLE001 - one of the user's may fail to say what it is
        let_through(failure)
        message = ""
    name = redact_again(type(error).__name__)
    return f"{name}: {message}" if message else name


@lru_cache(maxsize=_CACHED_TEXTS)
def _redacted(text: str, version: int) -> str:
    """Redact until nothing changes: what one pass leaves side by side may be a secret."""
    for _ in range(MAX_PASSES):
        once = _redact_once(text)
        if once == text:
            break
        text = once
    return text


def _redact_once(text: str) -> str:
    if _SUSPECT.search(text) is None:
        return KNOWN.redact(text)
    # A token goes whole, even if a known value is a piece of it.
    text = KNOWN.redact(redact_shapes(text))
    if "://" in text:
        text = _URL_CREDENTIALS.sub(_redact_url_credentials, text)
        text = _ODD_URL_CREDENTIALS.sub(rf"\g<scheme>{REDACTED}@", text)
    text = _URL_PARAMETER.sub(_redact_parameter, text)
    text = _NETRC.sub(rf"\g<name>{REDACTED}", text) if "machine " in text else text
    text = _redact_pairs(text)
    text = _ELEMENT.sub(_redact_named, text) if "</" in text else text
    text = _ITEM.sub(_redact_named, text)
    text = _AFTER_WORD.sub(_redact_after_word, text)
    if "@" in text:
        text = _USER_AND_PASSWORD.sub(_redact_user_and_password, text)
    return redact_random(text)


def _redact_url_credentials(found: re.Match[str]) -> str:
    """Redact what stands before the `@`, unless it is the account of a secure shell: `git@`."""
    is_account = _SHELL.search(found["scheme"]) and _ACCOUNT.fullmatch(found["user"])
    return found[0] if is_account else f"{found['scheme']}{REDACTED}@"


def _redact_parameter(found: re.Match[str]) -> str:
    level, value = suspicion(found["key"]), found["value"]
    if level >= Suspicion.NAMED:
        is_secret = not value.isdigit() and not value.startswith(REDACTED)
    else:
        is_odd = len(value) >= _MIN_ODD_PARAMETER and not is_wordlike(value)
        is_secret = can_be_secret(value, max(level, Suspicion.NAMED) if is_odd and level else level)
    return f"{found['name']}{REDACTED}" if is_secret else found[0]


def _redact_named(found: re.Match[str]) -> str:
    is_secret = can_be_secret(found["value"], suspicion(found["key"]))
    return f"{found['name']}{REDACTED}" if is_secret else found[0]


def _redact_after_word(found: re.Match[str]) -> str:
    value = found["value"].rstrip(".,")
    is_password = found["word"].lower().startswith("pass") and any(map(str.isdigit, value))
    is_secret = is_mixed(value) or not is_wordlike(value) or is_password
    has_digit = any(map(str.isdigit, value))
    return f"{found['name']}{REDACTED}" if is_secret and has_digit else found[0]


def _redact_user_and_password(found: re.Match[str]) -> str:
    is_secret = found["dsn"] is not None or is_mixed(found["value"])
    return f"{found['user']}{REDACTED}@{found['dsn'] or ''}" if is_secret else found[0]


def _redact_pairs(text: str) -> str:
    parts, end, found = [], 0, 0
    for name in _NAME.finditer(text):
        level = suspicion(name["key"])
        if name.start() < end or level is Suspicion.NONE:
            continue
        found += 1
        value_end = _end_of_secret(text, name, level, looks_inside=found <= _MAX_WRAPPED_VALUES)
        if value_end is not None:
            parts += [text[end : name.end()], REDACTED]
            end = value_end
    return "".join([*parts, text[end:]])


def _end_of_secret(
    text: str, name: re.Match[str], level: Suspicion, *, looks_inside: bool
) -> int | None:
    """Return where the secret that follows a name ends, None when none does."""
    start = name.end()
    if text.startswith(REDACTED, start):
        return None
    if name["key"].lower().endswith(_WHOLE_LINE_KEYS):
        line = _REST_OF_LINE.match(text, start)
        if line is not None and any(can_be_secret(part, level) for part in line[0].split()):
            return start + len(line[0].rstrip())
    wrapped = _WRAPPED.match(text, start)
    if wrapped is not None and looks_inside:
        end = _end_of_wrapped(text, wrapped.end() - 1)
        return end if _is_secret_inside(text[wrapped.end() : end], level) else None
    value = _VALUE.match(text, start if wrapped is None else wrapped.end())
    if value is None:
        return None
    return value.end() if can_be_secret(_unquoted(value[0]), level) else None


def _end_of_wrapped(text: str, opening: int) -> int:
    """Return the end of what stands in brackets: a list, a mapping, an object's text."""
    open_brackets = ""
    end = min(len(text), opening + _MAX_WRAPPED)
    for place in range(opening, end):
        character = text[place]
        if character in _CLOSING:
            open_brackets += _CLOSING[character]
        elif open_brackets.endswith(character):
            open_brackets = open_brackets[:-1]
        if not open_brackets:
            return place + 1
    return end


def holds_secret(text: str, level: Suspicion) -> bool:
    """Say whether a value, or what stands in its brackets, is taken for a secret."""
    if level is Suspicion.NONE:
        return False
    wrapped = _WRAPPED.match(text)
    if wrapped is None or text[-1:] not in {")", "]", "}"}:
        return can_be_secret(_unquoted(text), level)
    return _is_secret_inside(text[wrapped.end() :], level)


def _is_secret_inside(text: str, level: Suspicion) -> bool:
    return any(
        can_be_secret(piece[0], level)
        for piece in _IN_WRAPPED.finditer(text)
        if text[piece.end() : piece.end() + 1] not in {"(", "[", ":"} and piece[0] != REDACTED[1:-1]
    )


def _unquoted(value: str) -> str:
    r"""Return a quoted text's content: of `b'…'`, `"…"`, `\\"…\\"`."""
    plain = value.lstrip("bBrRuU\\") if value[-1:] in "\"'" else value
    return plain.strip("\\\"'")
