"""What a text gives away that no report should: credentials, home folders, user names.

Credentials are told by their shape: the prefixes that the services document for their tokens, the
user part of a URL, what follows the name of a secret. The rest of the text stays as it is.
"""

from __future__ import annotations

import getpass
import re
from functools import lru_cache
from pathlib import Path

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
    message = redact_text(str(error))
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
