"""Home folders and user names, which tell who ran something."""

from __future__ import annotations

import getpass
import re
from functools import lru_cache
from pathlib import Path

USER = "<user>"
MIN_USER_NAME_LENGTH = 3
_COMMON_ACCOUNTS = frozenset({"root", "user", "ubuntu", "runner", "data", "work", "app"})
"""Names that tell nothing of a person and stand in paths for other reasons."""

_HOME = re.compile(r"(?<![\w.~-])(?:/home|/Users|/var/home|[A-Za-z]:\\Users)[/\\][^/\\\s:;,'\"]+")


def shorten_paths(text: str) -> str:
    """Return the text with `~` for each home folder and `<user>` for the user's name in paths."""
    if "/" not in text and "\\" not in text:
        return text
    own_home, user_name = account()
    if own_home is not None:
        text = own_home.sub("~", text)
    text = _HOME.sub("~", text)
    return text if user_name is None else user_name.sub(USER, text)


@lru_cache(maxsize=1)
def account() -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
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
