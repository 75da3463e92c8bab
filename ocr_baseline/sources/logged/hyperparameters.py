"""The `hparams.yaml` that Lightning's loggers leave beside their metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    if not path.is_file():
        return None, [_missing("not_collected", f"no {FILE_NAME} beside the metrics")]
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        # ValueError: no UTF-8, or dates and numbers that Python has none for.
        cause = str(error).splitlines()[0]
        return None, [_missing("failed", f"{FILE_NAME} can't be read: {cause}")]
    if not isinstance(config, dict) or not config:
        return None, [_missing("not_collected", f"{FILE_NAME} holds no hyperparameters")]
    return redact(config), []


def _missing(reason: MissingReason, detail: str) -> Missing:
    return Missing(metric="config", reason=reason, detail=detail)
