"""A page inside a notebook: in a frame of its own, so that neither styles the other."""

from __future__ import annotations

from markupsafe import Markup

HEIGHT_PX = 720


def framed(page: str) -> str:
    """Return a page as an element of a notebook's output; its script runs, and nothing else may."""
    return Markup(
        '<iframe title="performance baseline" srcdoc="{}" width="100%" height="{}" '
        'sandbox="allow-scripts allow-popups" frameborder="0"></iframe>'
    ).format(page, HEIGHT_PX)
