"""What the name of a value says about it: whether a secret stands there, a hash, or neither."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


class Suspicion(IntEnum):
    """How likely it is that a string under a key is a secret."""

    NONE = 0
    HINT = 1
    """`key`, `pin`, `session_id`: only what looks random is one."""
    NAMED = 2
    """`token`, `auth`: anything but plain words is one."""
    STRONG = 3
    """`password`, `api_key`: anything but a number, a switch or a short word is one."""


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


_STRONG_WORDS = word_set(
    "password passwords passwd passphrase passwort passcode secret secrets credential credentials "
    "kennwort contrasena contraseña senha wachtwoord parola motdepasse"
)
_NAMED_WORDS = word_set(
    "token auth authorization authentication cookie cookies bearer pwd pw pass jwt"
)
_HINT_WORDS = word_set(
    "key keys tokens pat pin otp totp sig signature sas dsn webhook session nonce salt"
)
_GLUED_STRONG = ("password", "passwd", "passphrase", "passwort", "secret", "motdepasse")
_STRONG_ENDS = (
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
    "masterkey",
    "privatekey",
    "secretkey",
    "signingkey",
    "sshkey",
)
_HINT_ENDS = ("sessionid", "licensekey", "connectionurl", "databaseurl")
_TRAILING = word_set(
    "value val string str text plain raw hash hashed b64 base64 old new current default"
)
"""Words after the one that decides: `password_hash`, `api_key_value`."""

_MODEL_WORDS = word_set(
    "pad padding eos bos cls class mask masked unk unknown sep patch image img video audio "
    "special start end begin prefix suffix stop register num n visual text word blank dist "
    "distill learned learnable summary memory pos query object eot sot bot split oov root "
    "event action state time latent global speaker last first sub vocab input output decoder "
    "encoder forced use max min per with has drop added extra prompt continue"
)
"""What stands before `token` in the vocabulary of models: `pad_token`, `num_class_token`."""

_KEY_WORDS = word_set(
    "public cache sort primary foreign partition dict data row group lookup index join map "
    "metric monitor sorting target label image batch column field config hparam param state "
    "input output answer config shortcut hot"
)
"""What stands before `key` where it opens no door: `cache_key`, `sort_key`."""

_PASS_WORDS = word_set("first second third last next single one two n num multi forward backward")
"""What stands before `pass` where it is a turn: `forward_pass`."""

_HASH_WORDS = word_set(
    "commit checksum hash sha sha1 sha256 sha512 md5 crc digest revision rev fingerprint etag uuid "
    "guid id ids version ref tree blob head"
)
_WORD_BREAK = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DIGITS_AT_END = re.compile(r"(?<=[a-z])\d{1,3}$")
MAX_KEY_LENGTH = 200


@lru_cache(maxsize=4096)
def suspicion(key: str) -> Suspicion:
    """Return how likely a string under this key is a secret.

    The last word decides, so that `tokenizer`, `token_dim`, `password_field_detector` and
    `cookie_cutter` stay, and with it what stands before: a `pad_token` is none.
    """
    words = _words(key)
    joined = "".join(words)
    if not words:
        return Suspicion.NONE
    last, before = words[-1], frozenset(words[:-1])
    if last in _STRONG_WORDS or joined.endswith((*_GLUED_STRONG, *_STRONG_ENDS)):
        return Suspicion.STRONG
    if joined.endswith(_HINT_ENDS):
        return Suspicion.HINT
    if last == "token" or last.endswith("token"):
        return Suspicion.NONE if _MODEL_WORDS & before else Suspicion.NAMED
    if last == "pass" and _PASS_WORDS & before:
        return Suspicion.NONE
    if last in _NAMED_WORDS:
        return Suspicion.NAMED
    if last in {"key", "keys", "tokens"} and (_KEY_WORDS | _MODEL_WORDS) & before:
        return Suspicion.NONE
    return Suspicion.HINT if last in _HINT_WORDS else Suspicion.NONE


def is_secret_key(key: str) -> bool:
    """Say whether a key names a secret: `wandb.api_key`, `authToken`, `DB_PASSWORD`."""
    return suspicion(key[-MAX_KEY_LENGTH:]) >= Suspicion.NAMED


@lru_cache(maxsize=4096)
def is_hash_key(key: str) -> bool:
    """Say whether a key names a hash or an identifier, whose digits only look random."""
    words = _words(key)
    return not _HASH_WORDS.isdisjoint(words) or any(
        word.endswith(("hash", "sum", "uuid", "commit", "digest", "sha256")) for word in words
    )


def _words(key: str) -> list[str]:
    words = [_DIGITS_AT_END.sub("", word.lower()) for word in _WORD_BREAK.split(key) if word]
    while len(words) > 1 and (words[-1] in _TRAILING or words[-1].isdigit()):
        words.pop()
    return words
