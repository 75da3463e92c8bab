"""What a target is: how a report reaches a live trainer's logger, or a run that is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.errors import PublishError
from ocr_baseline.sources.reader_process import Overdue, Patience, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ocr_baseline.publish.publication import Publication
    from ocr_baseline.sources.source import LiveRun, ReadOptions


@dataclass(frozen=True, kw_only=True)
class Target:
    """One kind of place that a report is published to.

    Both functions raise a `PublishError` that says what failed and what to do next.

    Attributes:
        form: How the command line names such a place, as in `mlflow:ID`.
        to_logger: Publishes to the loggers of a live trainer, within the bounds of its options.
        to_place: Publishes to what stands behind the colon and returns where that is, in words.
    """

    form: str
    to_logger: Callable[[Publication, LiveRun], None]
    to_place: Callable[[Publication, str, ReadOptions], str]


def patience_of(options: ReadOptions) -> Patience:
    """Return how long a server is waited for."""
    return Patience(options.timeout_s, options.limit_s, options.until_s)


def written_by(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    patience: Patience,
    what: str,
) -> str:
    """Let a client in a process of its own publish, and return where it says the report is.

    Args:
        module: What the process runs; it prints `done` (where) or `error` (a cause) at last.
        arguments: Of that process.
        environment: Of that process.
        patience: How long to wait for it.
        what: What an error is about, as `MLflow run 5f2c`.

    Raises:
        PublishError: The client failed or was given up.
    """
    try:
        for message in messages(module, arguments, environment, patience):
            if "error" in message:
                raise PublishError(_about(what, str(message["error"])))
            if "done" in message:
                return str(message["done"])
    except Overdue as error:
        raise PublishError(
            f"{what}: {error}; check the network and the server's address, or give it longer "
            "(--timeout, in Python wandb_timeout_s)"
        ) from error
    raise PublishError(f"{what}: its client broke off; try again")


def _about(what: str, cause: str) -> str:
    """Return a cause that says what it is about, once."""
    return cause if cause.startswith(what) else f"{what}: {cause}"
