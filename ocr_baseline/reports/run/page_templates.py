"""The templates of the reports, read from the package's folder `templates`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Template


def page_template(
    name: str, *, finalize: Callable[[object], object] | None = None, is_html: bool = False
) -> Template:
    """Return a template; a value that it asks for and does not get is an error.

    Args:
        name: The file's name in the folder.
        finalize: What each value passes through, for pages that are not HTML.
        is_html: Escape each value that is no markup.
    """
    environment = Environment(
        loader=PackageLoader("ocr_baseline.reports.run"),
        undefined=StrictUndefined,
        autoescape=is_html,  # noqa: S701 - Markdown is escaped by its `finalize`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=finalize,
    )
    return environment.get_template(name)
