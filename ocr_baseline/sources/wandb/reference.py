"""How a user names a W&B run: an id, `project/id`, `entity/project/id` or the run's URL."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ocr_baseline.errors import SourceError

_FORMS = "ID, PROJECT/ID, ENTITY/PROJECT/ID or the run's URL"


@dataclass(frozen=True, kw_only=True)
class RunReference:
    """A run by its id, in a project, of an entity (None: the default of the account)."""

    id: str
    project: str
    entity: str | None = None

    @property
    def path(self) -> str:
        """The path that `wandb.Api().run` takes."""
        return "/".join(part for part in (self.entity, self.project, self.id) if part)


def parse_reference(
    run_id: str, *, project: str | None = None, entity: str | None = None
) -> RunReference:
    """Return the run that the text names; parts within it win over `project` and `entity`.

    Raises:
        SourceError: The text is none of the known forms, or no project is given.
    """
    parts = _parts(run_id.strip())
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise SourceError(f"{run_id!r} names no W&B run: give {_FORMS}")
    named_project = parts[-2] if len(parts) > 1 else project
    if not named_project:
        raise SourceError(f"W&B run {run_id!r}: which project is it in? Give its project")
    return RunReference(
        id=parts[-1],
        project=named_project,
        entity=parts[0] if len(parts) > 2 else entity or None,
    )


def _parts(text: str) -> list[str]:
    if "://" not in text:
        pieces = text.strip("/").split("/")
        return pieces[:2] + pieces[3:] if pieces[2:3] == ["runs"] else pieces
    pieces = [unquote(piece) for piece in urlsplit(text).path.split("/") if piece]
    if "runs" not in pieces[2:-1]:
        return []
    # A self-hosted server may stand below a path of its own: count from the "runs" backwards.
    at = pieces.index("runs", 2)
    return [*pieces[at - 2 : at], pieces[at + 1]]
