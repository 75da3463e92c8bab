"""Publishes the report of a live run; whatever fails is one warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.errors import PublishError
from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.model.privacy import OutwardLogger, error_text
from ocr_baseline.publish import find_target
from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr_baseline.publish.target import Target
    from ocr_baseline.sources.source import LiveRun
    from ocr_baseline.write import ReportFiles

logger = OutwardLogger(__name__)


@unchanged_random_state()
def publish_live(files: ReportFiles, live: LiveRun, names: Iterable[str]) -> set[str]:
    """Publish a written report and return the targets that failed, which were warned of.

    The targets share the instant `live.options.until_s`, at which servers are given up.
    """
    from ocr_baseline.publish.publication import publication_of

    failed: dict[str, str] = {}
    again: list[str] = []
    publication = publication_of(files.baseline, files.html)
    for name in names:
        target: Target | None = None
        try:
            target = find_target(name)
            target.to_logger(publication, live)
        except PublishError as error:
            failed[name] = str(error)
        except Exception as error:  # noqa: BLE001 - publishing must never fail the training
            let_through(error)
            failed[name] = error_text(error)
        if name in failed:
            again.append(f"--to {target.form if target else name}")
    if failed:
        logger.warning(
            "The performance baseline could not be published: %s. It is in %s and the training is "
            "not affected; `ocr-baseline publish %s %s` tries again.",
            "; ".join(f"{name} ({cause})" for name, cause in failed.items()),
            files.folder,
            files.folder,
            " ".join(again),
        )
    return set(failed)
