"""What no output may give away: secrets, home folders, user names, invisible characters."""

from ocr_baseline.model.privacy.alphabet import visible, without_commands
from ocr_baseline.model.privacy.config import (
    LEFT_OUT,
    MOST_BITS,
    config_hash,
    redact,
    redact_arguments,
)
from ocr_baseline.model.privacy.gate import Names, OutwardLogger, outward
from ocr_baseline.model.privacy.keys import is_secret_key
from ocr_baseline.model.privacy.paths import USER, shorten_paths
from ocr_baseline.model.privacy.text import (
    error_text,
    known_secrets,
    learn_secrets,
    outward_text,
    redact_secrets,
    redact_text,
    refresh_known_secrets,
)
from ocr_baseline.model.privacy.values import REDACTED

__all__ = [
    "LEFT_OUT",
    "MOST_BITS",
    "REDACTED",
    "USER",
    "Names",
    "OutwardLogger",
    "config_hash",
    "error_text",
    "is_secret_key",
    "known_secrets",
    "learn_secrets",
    "outward",
    "outward_text",
    "redact",
    "redact_arguments",
    "redact_secrets",
    "redact_text",
    "refresh_known_secrets",
    "shorten_paths",
    "visible",
    "without_commands",
]
