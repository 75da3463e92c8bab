"""The registry of publishing targets: where a report may be sent, by name.

`BaselineReportCallback(publish=...)` and `ocr-baseline publish` share it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ocr_baseline.errors import SettingError
from ocr_baseline.vocabulary import names_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ocr_baseline.publish.target import Target

TARGETS: Mapping[str, str] = {
    "wandb": "ocr_baseline.publish.wandb",
    "mlflow": "ocr_baseline.publish.mlflow",
    "tensorboard": "ocr_baseline.publish.tensorboard",
    "github": "ocr_baseline.publish.github",
}
"""Each target's module, which has it as `TARGET`; none is imported before it is asked for."""


def find_target(name: str) -> Target:
    """Return the target of a name."""
    found: Target = importlib.import_module(TARGETS[name]).TARGET
    return found


def checked_targets(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once.

    Raises:
        SettingError: One of them is unknown.
    """
    given = tuple(dict.fromkeys(map(str, names_of(names))))
    unknown = [repr(name) for name in given if name not in TARGETS]
    if unknown:
        raise SettingError(
            f"publish: unknown target {', '.join(unknown)}; choose from {', '.join(TARGETS)}"
        )
    return given
