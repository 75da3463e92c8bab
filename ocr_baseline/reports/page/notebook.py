"""A page inside a notebook: in a frame of its own, so that neither styles the other."""

from __future__ import annotations

from markupsafe import escape

HEIGHT_PX = 720


def framed(page: str) -> str:
    """Return a page as an element of a notebook's output; its script runs, and nothing else may."""
    return (
        f'<iframe title="performance baseline" srcdoc="{escape(page)}" width="100%" '
        f'height="{HEIGHT_PX}" sandbox="allow-scripts allow-popups" frameborder="0"></iframe>'
    )
