"""The option `--wait` of the commands that run others in turns; importing it loads little."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from ocr_baseline.trials.patience import DEFAULT_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")


def wait_option(command: Decorated) -> Decorated:
    """Add `--wait`, given as `wait_s`."""
    return click.option(
        "--wait",
        "wait_s",
        type=click.FloatRange(min=0),
        default=DEFAULT_WAIT_S,
        show_default=True,
        metavar="SECONDS",
        help="Wait at most this long, all pauses together, while other programs keep the machine "
        "busy.",
    )(command)
