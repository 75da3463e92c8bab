"""The shapes that services document for their tokens, which are secrets wherever they stand.

The services are those that detect-secrets (Yelp) looks for, and the ones a training meets beside.
"""

from __future__ import annotations

import re

from ocr_baseline.model.privacy.keys import is_hash_key
from ocr_baseline.model.privacy.values import REDACTED, is_random, is_wordlike

_BEGINS = (
    r"gh[opusr]_[A-Za-z0-9]{20,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:pat|dt|ft|soat|rt|cbt|ptt|agent)-[A-Za-z0-9_-]{16,}",  # GitLab
    r"GR1348941[A-Za-z0-9_-]{16,}",
    r"hf_[A-Za-z0-9]{20,}",  # Hugging Face
    r"api_org_[A-Za-z0-9]{20,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"xapp-\d-[A-Za-z0-9-]{10,}",
    r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[A-Z0-9]{16}",  # AWS
    r"AIza[A-Za-z0-9_-]{30,}",  # Google
    r"ya29\.[A-Za-z0-9_-]{16,}",
    r"GOCSPX-[A-Za-z0-9_-]{16,}",
    r"wandb_v\d_[A-Za-z0-9_]{16,}",  # Weights & Biases
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",  # JSON web token
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{10,}",  # Stripe
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-[A-Za-z0-9_-]{16,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"dapi[0-9a-f]{32}",  # Databricks
    r"do[opr]_v1_[A-Za-z0-9]{32,}",  # DigitalOcean
    r"(?:bot)?\d{8,10}:[A-Za-z0-9_-]{35}",  # Telegram
    r"r8_[A-Za-z0-9]{20,}",  # Replicate
    r"hv[sbr]\.[A-Za-z0-9_-]{20,}",  # Vault
    r"AKC[A-Za-z0-9]{10,}",  # Artifactory
    r"AP[\dABCDEF][A-Za-z0-9]{8,}(?=\")",
    r"(?:AC|SK)[a-z0-9]{32}",  # Twilio
    r"[0-9a-z]{32}-us[0-9]{1,2}",  # Mailchimp
    r"sq0(?:csp|atp)-[A-Za-z0-9_-]{20,}",  # Square
    r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",  # Discord
    r"lin_api_[A-Za-z0-9]{30,}",  # Linear
    r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}",  # Shopify
    r"nvapi-[A-Za-z0-9_-]{20,}",  # NVIDIA
    r"gsk_[A-Za-z0-9]{20,}",  # Groq
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{30,}",  # Doppler
    r"pat[A-Za-z0-9]{14}\.[0-9a-f]{40,}",  # Airtable
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",  # Postman
    r"sntry[us]_[A-Za-z0-9+/=_-]{30,}",  # Sentry
    r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9._=-]{30,}",  # PlanetScale
    r"rubygems_[0-9a-f]{40,}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{50,}",
    r"pul-[0-9a-f]{40}",  # Pulumi
    r"key-[0-9a-f]{32}",  # Mailgun
    r"NRAK-[A-Z0-9]{20,}",  # New Relic
    r"fo1_[A-Za-z0-9_-]{30,}",  # Fly.io
    r"pplx-[A-Za-z0-9]{40,}",  # Perplexity
    r"tskey-[a-z]+-[A-Za-z0-9-]{10,}",  # Tailscale
)
_TOKEN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_BEGINS)})[A-Za-z0-9_=-]*")
_OPENAI = re.compile(r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,}")  # Anthropic too
_WEBHOOK = re.compile(
    r"(?i:(hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/))"
    r"[\w/-]+"
)
_HEX_40 = re.compile(r"(?<![A-Za-z0-9_/.@-])[0-9a-f]{40}(?![A-Za-z0-9_/.:-])")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_PIECE = re.compile(r"[A-Za-z0-9_+/=-]{16,}")
_NAME_BEFORE = re.compile(r"([A-Za-z][\w.-]{0,60})['\"`]?\s{0,3}[=:@]?\s{0,3}['\"`]?$")
_CHECKSUM_BEFORE = re.compile(r"(?:sha(?:1|256|384|512)|md5)[-:=]$", re.IGNORECASE)
_MIN_DISTINCT = 8
_LONG_BASE64 = 32


def redact_shapes(text: str) -> str:
    """Return the text without tokens of a known shape, private keys and webhooks."""
    if "-----BEGIN" in text:
        text = _PRIVATE_KEY.sub(REDACTED, text)
    text = _TOKEN.sub(REDACTED, text)
    text = _OPENAI.sub(_redact_unless_words, text)
    return _WEBHOOK.sub(rf"\g<1>{REDACTED}", text)


def redact_random(text: str) -> str:
    """Return the text without what only looks like a credential; hashes and identifiers stay."""
    text = _HEX_40.sub(_redact_wandb_key, text)
    return _PIECE.sub(_redact_piece, text)


def _redact_unless_words(found: re.Match[str]) -> str:
    return found[0] if is_wordlike(found[0]) else REDACTED


def _redact_wandb_key(found: re.Match[str]) -> str:
    """Redact 40 hexadecimal digits, an older W&B key, unless the word before names a hash."""
    is_key = len(set(found[0])) >= _MIN_DISTINCT and not _is_after_hash_name(found)
    return REDACTED if is_key else found[0]


def _redact_piece(found: re.Match[str]) -> str:
    piece = found[0]
    before = found.string[max(0, found.start() - 8) : found.start()]
    if _CHECKSUM_BEFORE.search(before) or re.match(r"(?:sha\d{1,3}|md5)-", piece):
        return piece
    is_secret = [is_random(part.strip("=_-+")) for part in piece.split("/")]
    is_base64 = len(piece) >= _LONG_BASE64 and "/" in piece and is_random(piece)
    if not (is_base64 or any(is_secret)) or _is_after_hash_name(found):
        return piece
    if is_base64:
        return REDACTED
    parts = zip(piece.split("/"), is_secret, strict=True)
    return "/".join(REDACTED if secret else part for part, secret in parts)


def _is_after_hash_name(found: re.Match[str]) -> bool:
    before = _NAME_BEFORE.search(found.string, max(0, found.start() - 70), found.start())
    return before is not None and is_hash_key(before[1])
