"""The `hparams.yaml` that Lightning's loggers leave beside their metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.errors import SourceError
from ocr_baseline.model.privacy import redact
from ocr_baseline.model.run import Missing

if TYPE_CHECKING:
    from pathlib import Path

    from ocr_baseline.model.run import JsonValue
    from ocr_baseline.vocabulary import MissingReason

FILE_NAME = "hparams.yaml"


def read_config(folder: Path) -> tuple[dict[str, JsonValue] | None, list[Missing]]:
    """Return the folder's hyperparameters without secrets, or None and the reason."""
    path = folder / FILE_NAME
    if not path.exists():
        return None, [_missing("not_collected", f"no {FILE_NAME} beside the metrics")]
    from ocr_baseline.yaml_file import read_yaml

    try:
        config = read_yaml(path)
    except SourceError as error:
        cause = str(error).removeprefix(f"can't read {path}: ")
        return None, [_missing("failed", f"{FILE_NAME} can't be read: {cause}")]
    if not isinstance(config, dict) or not config:
        return None, [_missing("not_collected", f"{FILE_NAME} holds no hyperparameters")]
    return redact(config), []


def _missing(reason: MissingReason, detail: str) -> Missing:
    return Missing(metric="config", reason=reason, detail=detail)
