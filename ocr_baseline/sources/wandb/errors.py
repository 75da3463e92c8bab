"""What the W&B client raised, told in one line with its cause and its remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED = (401, 403)
_REQUEST = re.compile(r'^(?:Post|POST|Get|GET) "?\S+?"?: ')
_DELETED = "'NoneType' object is not subscriptable"
_NOT_FOUND = "Could not find run"
"""Of clients that have no `RunNotFoundError`."""
_STATUS_NAMES = ("http_status", "status_code")
"""Of the client's service process, and of `requests`, which older clients use."""


def client_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that the W&B client raises while it reads a run.

    Beside its own tree these are the service's (`WandbApiFailedError`), pydantic's and JSON's
    `ValueError`s, and what an answer with holes makes it stumble over.
    """
    import wandb.errors

    holes = (TypeError, LookupError, AttributeError)
    known = (wandb.errors.Error, ValueError, OSError, *holes)
    try:
        from wandb.sdk.lib.service.service_connection import WandbApiFailedError
    except ImportError:  # older clients have no such class
        return known
    return (*known, WandbApiFailedError)


def explain(error: Exception, run_path: str, server: str) -> SourceError:
    """Return the error to raise for what the client raised while it read the run."""
    chain = list(_chain(error))
    names = {type(link).__name__ for link in chain}
    if "RunNotFoundError" in names or _NOT_FOUND in str(error):
        cause = "does not exist, or this account can't see it"
        remedy = "check the id, the project and the entity"
    elif _DELETED in str(error):
        cause, remedy = "was deleted, or lost its data", "read its local files instead"
    elif "UsageError" in names:
        cause, remedy = "can't be reached without an API key", "`wandb login`, or set WANDB_API_KEY"
    elif any(getattr(link, "title", None) == "Settings" for link in chain):  # pydantic's
        cause, remedy = "the client's settings are invalid", "check WANDB_BASE_URL"
    elif "AuthenticationError" in names and _is_refusal(chain):
        cause = f"the API key was refused: {_innermost(chain)}"
        remedy = "`wandb login --relogin`, or check WANDB_API_KEY"
    else:
        cause = f"could not be read: {_innermost(chain)}"
        remedy = "check the network and WANDB_BASE_URL, or read the run's local files"
    return SourceError(f"W&B run {run_path} at {server}: {cause}; {remedy}")


def overdue(run_path: str, server: str, what: str) -> SourceError:
    """Return the error for a server that stopped answering, or does not come to an end."""
    return SourceError(
        f"W&B run {run_path} at {server}: {what}; check the network and WANDB_BASE_URL, give it "
        "longer (--timeout, in Python timeout_s), or read the run's local files"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and what it was raised from; the client keeps some causes in `.exc`."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        wrapped = getattr(error, "exc", None)
        error = wrapped if isinstance(wrapped, BaseException) else error.__cause__


def _is_refusal(chain: list[BaseException]) -> bool:
    """Tell a refused key from a server out of reach: both are an `AuthenticationError`.

    A key of the wrong form is refused by the client itself, without a cause.
    """
    responses = [getattr(link, "response", None) for link in chain]
    statuses = {getattr(response, name, None) for response in responses for name in _STATUS_NAMES}
    return len(chain) == 1 or not statuses.isdisjoint(_REFUSED)


def _innermost(chain: list[BaseException]) -> str:
    """Return the last line of the deepest cause, without the request that it repeats."""
    lines = str(chain[-1]).strip().splitlines() or [type(chain[-1]).__name__]
    return _REQUEST.sub("", lines[-1].removeprefix("while retrying: "))
