"""The content security policy: nothing from outside, and the page's own style and script alone."""

from __future__ import annotations

import base64
import hashlib


def policy(style: str, script: str) -> str:
    """Return a policy that allows exactly this style sheet and this script."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_source(style)}",
            f"script-src {_source(script)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
