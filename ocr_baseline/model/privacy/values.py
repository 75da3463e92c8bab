"""What a string itself says: whether it is made of words, a number, a path, or looks random."""

from __future__ import annotations

import math
import re
from collections import Counter

from ocr_baseline.model.privacy.keys import Suspicion, word_set

REDACTED = "<redacted>"

_NUMBER = re.compile(
    r"[+-]?(?:0x[0-9a-fA-F]{1,8}|\d[\d_,]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+)[%a-z]{0,2}"
)
_PATH = re.compile(r"(?:~|\.{1,2})?(?:[/\\][\w.@+-]*)+|[A-Za-z]:[/\\][\w.@+\\/-]*")
_PLACEHOLDER = re.compile(
    r"\$\{[\w.:,/-]*\}?|\$\w+|\{\{.*\}\}|<[^<>]*>|\[[A-Za-z_ ]*\]?|[*•]+|x{3,}|\.{3}|%\(?\w+\)?s?",
    re.DOTALL,
)
_SWITCHES = word_set(
    "true false none null nil nan yes no on off auto default required optional enabled "
    "disabled missing unset empty hidden redacted masked anonymous basic digest bearer "
    "kerberos negotiate oauth oauth2 ntlm interactive prompt ask bcrypt scrypt argon2 sha256 "
    "sha512 md5 plain changeme change-me change_me placeholder dummy todo"
)
_EXAMPLE = re.compile(r"(?:your|my|insert|enter)(?:[ _-][a-z]+){1,5}", re.IGNORECASE)
_MAX_NUMBER_LENGTH = 40
_MAX_SHORT_WORD = 5
_LETTERS = re.compile(r"[A-Za-z]+")
_SEPARATORS = re.compile(r"[\s_.\-/:,|]+")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|(?:[A-Z][a-z]+)+")
_WORD_WITH_NUMBER = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+|(?:[A-Z]+[a-z]+)+)?\d{0,4}[a-z]?")
_WORDLIKE = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}")
_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Za-z])|(?<=[A-Z])(?=[0-9])")
_LONG_WORDLIKE = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{4,}")
"""Of 24 drawn characters, three small letters in a row are common and five are not."""

_SIZES = re.compile(r"(?<!\d)\d{1,5}(?:x\d{1,5})+(?!\d)")
"""`3x3`, `128x128x64`: changes between kinds of characters that say nothing."""

_LEADING_WORDS = re.compile(r"(?:[A-Za-z]+\d{0,2}[_.:-]+)+")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F-]+")
_TIMESTAMP = re.compile(r"\d{4,8}T?\d{0,6}Z?")
_CLASSES = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))

MIN_SHORT_RANDOM = 6
MIN_RANDOM = 16
MIN_ONE_CASE = 24
MIN_ENTROPY_BITS = 3.2
MIN_HEX_SECRET = 32
MAX_JUDGED = 4096
"""Longer than any credential; what a string is shows in its first characters."""


def can_be_secret(value: str, under: Suspicion) -> bool:
    """Say whether a string under a key of this suspicion is taken for a secret."""
    value = value.strip().strip("\"'")
    if under is Suspicion.NONE or not value or _is_harmless(value):
        return False
    if under is Suspicion.STRONG:
        return not _is_short_word(value)
    if under is Suspicion.NAMED:
        return not (len(value) > 1 and is_words(value))
    return is_mixed(value) or is_random(value) or _is_hex_secret(value)


def _is_harmless(value: str) -> bool:
    if value.lower() in _SWITCHES or _PLACEHOLDER.fullmatch(value) or _EXAMPLE.fullmatch(value):
        return True
    if len(value) <= _MAX_NUMBER_LENGTH and _NUMBER.fullmatch(value):
        return len(value) < MIN_SHORT_RANDOM or not value.isdigit()
    return _PATH.fullmatch(value) is not None and not is_random(value)


def _is_short_word(value: str) -> bool:
    return 1 < len(value) <= _MAX_SHORT_WORD and _LETTERS.fullmatch(value) is not None


def is_words(value: str) -> bool:
    """Say whether a string is made of plain words without digits: `learned-embedding`."""
    return all(_WORD.fullmatch(part) for part in _SEPARATORS.split(value) if part)


def is_wordlike(value: str) -> bool:
    """Say whether a string is made of words that may end in a number: `resnet50_v2`."""
    return all(_WORD_WITH_NUMBER.fullmatch(part) for part in _SEPARATORS.split(value) if part)


def is_mixed(value: str) -> bool:
    """Say whether capitals, small letters and digits alternate, as in no name: `Zx9qLe`."""
    value = value[:MAX_JUDGED]
    if len(value) < MIN_SHORT_RANDOM or is_wordlike(value):
        return False
    letters = sum(len(word) for word in _WORDLIKE.findall(value))
    changes = len(_CHANGE.findall(value))
    return changes >= 3 and changes / len(value) > 0.3 and letters / len(value) < 0.45


def is_random(value: str) -> bool:
    """Say whether a string without any name looks like a credential: long, mixed, no words.

    Hashes, identifiers in hexadecimal digits and names that end in numbers don't.
    """
    value = value[:MAX_JUDGED]
    if len(value) < MIN_ONE_CASE:
        value = _SIZES.sub("", value)
    if len(value) < MIN_RANDOM or value.startswith("_Z") or _is_made_of_identifiers(value):
        return False
    return _is_noise(value) or _is_noise(_LEADING_WORDS.sub("", value, count=1))


def _is_noise(value: str) -> bool:
    if len(value) < MIN_RANDOM:
        return False
    wordlike = _WORDLIKE if len(value) < MIN_ONE_CASE else _LONG_WORDLIKE
    letters = sum(len(word) for word in wordlike.findall(value)) / len(value)
    changes = len(_CHANGE.findall(value)) / len(value)
    if all(kind.search(value) for kind in _CLASSES):
        is_long = len(value) >= MIN_HEX_SECRET
        is_noise = changes >= 0.25 or (is_long and changes >= 0.15)
        is_dense = changes >= (0.25 if is_long else 0.35)
        most_letters = 0.6 if is_dense else 0.45
        return is_noise and letters < most_letters and _entropy_bits(value) >= MIN_ENTROPY_BITS
    is_alphanumeric = value.isalnum() and not value.isalpha() and not value.isdigit()
    is_long = len(value) >= MIN_ONE_CASE and value.islower() and is_alphanumeric
    return is_long and changes >= 0.3 and letters < 0.35 and _entropy_bits(value) >= 3.5


def _is_made_of_identifiers(value: str) -> bool:
    """Say whether each part is hexadecimal, a time, or a word that may end in a number."""
    return all(
        _HEX.fullmatch(part) or _TIMESTAMP.fullmatch(part) or _WORD_WITH_NUMBER.fullmatch(part)
        for part in _SEPARATORS.split(value)
        if part
    )


def _is_hex_secret(value: str) -> bool:
    is_hex = len(value) >= MIN_HEX_SECRET and _HEX.fullmatch(value) is not None
    return is_hex and "-" not in value


def _entropy_bits(value: str) -> float:
    """Return Shannon's entropy per character."""
    length = len(value)
    return -sum(n / length * math.log2(n / length) for n in Counter(value).values())
