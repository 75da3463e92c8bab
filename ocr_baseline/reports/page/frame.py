"""The frame of every page: its template filled, its style, its script and the policy on both."""

from __future__ import annotations

import functools
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ocr_baseline.reports.page.policy import policy
from ocr_baseline.reports.page.words import with_code

ROOM = "ocr_baseline.reports.page"
LOADS_NOTHING = "This page loads nothing from any network."


def filled(template: str, view: dict[str, object]) -> str:
    """Return a template of this room, filled: with style sheet, script and policy too."""
    style, script = _own_file("page.css"), _own_file("page.js")
    own = {"style": style, "script": script, "policy": policy(style, script)}
    return _templates().get_template(template).render(view | own)


@functools.cache
def _templates() -> Environment:
    """Return the templates, which take a while to compile: once in a process."""
    templates = Environment(
        loader=PackageLoader(ROOM),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals["code"] = with_code
    return templates


@functools.cache
def _own_file(name: str) -> Markup:
    place = files(ROOM) / "templates" / name
    return Markup(place.read_text(encoding="utf-8"))  # noqa: S704 - a file of this package
