"""The Markdown in the summary of a GitHub Actions job (`$GITHUB_STEP_SUMMARY`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import PublishError
from ocr_baseline.publish.target import Target

if TYPE_CHECKING:
    from ocr_baseline.publish.publication import Publication
    from ocr_baseline.sources.source import LiveRun, ReadOptions

VARIABLE = "GITHUB_STEP_SUMMARY"
MAX_BYTES = 1024 * 1024
"""GitHub's limit for one step; a summary above it is dropped as a whole, what others wrote too."""


def append_summary(markdown: str) -> None:
    """Append a report to the step's summary.

    Raises:
        PublishError: There is no summary, it has no room, or it can't be written.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        raise PublishError(f"{VARIABLE} isn't set: only a step of a GitHub Actions job has it")
    path, text = Path(name), f"{markdown.rstrip()}\n\n".encode("utf-8", "replace")
    try:
        held = path.stat().st_size if path.exists() else 0
        if held + len(text) > MAX_BYTES:
            raise PublishError(
                f"the step's summary holds {held} of GitHub's {MAX_BYTES} bytes and the report has "
                f"{len(text)}: publish it in a step of its own"
            )
        with path.open("ab") as summary:
            summary.write(text)
    except OSError as error:
        raise PublishError(f"{path}: {error.strerror or error}; check {VARIABLE}") from error


def _to_logger(publication: Publication, live: LiveRun) -> None:
    append_summary(publication.markdown)


def _to_place(publication: Publication, place: str, options: ReadOptions) -> str:
    append_summary(publication.markdown)
    return "the summary of this GitHub Actions step"


TARGET = Target(form="github", to_logger=_to_logger, to_place=_to_place)
