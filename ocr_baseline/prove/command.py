"""The command of a run, as its records know it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.errors import BaselineError
from ocr_baseline.measure import environment
from ocr_baseline.model.privacy import LEFT_OUT, REDACTED, USER

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline

_HOME = re.compile(r"(?<![\w.~-])~(?=/|$)")
_NOTEBOOKS = ("ipykernel", "colab_kernel")
_STARTS_OF_A_POOL = (
    "--multiprocessing-fork",
    "multiprocessing.forkserver import main",
    "joblib.externals.loky.backend",
)
"""In the command of a process that a program started for its own use: it can't be started alone."""
_OF_MACHINE = ("cpu_model", "cpu_count")
GIVE_IT = "give the command after --, as in `ocr-baseline prove RUN -- python train.py`"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command and the folder that it is started in."""

    arguments: tuple[str, ...]
    folder: Path


def command_of(baseline: Baseline) -> Command:
    """Return the command that made a run.

    Raises:
        BaselineError: When the records don't hold it, or not all of it.
    """
    known = baseline.environment.volatile
    arguments, folder = known.get("command"), known.get("working_folder")
    if not isinstance(arguments, list) or not arguments or not isinstance(folder, str):
        raise BaselineError(f"the records of this run don't hold its command: {GIVE_IT}")
    texts = [str(argument) for argument in arguments]
    if any(mark in text for text in [*texts, folder] for mark in (REDACTED, USER, LEFT_OUT)):
        raise BaselineError(
            "what looks like a secret or a name was taken out of the recorded command "
            f"({' '.join(texts)}): {GIVE_IT}"
        )
    if any(name in text for text in texts for name in _NOTEBOOKS):
        raise BaselineError(f"the run was made in a notebook's kernel: {GIVE_IT}")
    if any(name in text for text in texts for name in _STARTS_OF_A_POOL):
        raise BaselineError(f"the run was made in a process that another one started: {GIVE_IT}")
    if (baseline.world_size or 1) > 1:
        raise BaselineError(
            f"the run had {baseline.world_size} processes, and its records hold the command of "
            f"one of them alone: {GIVE_IT}"
        )
    found = Path(_at_home(folder))
    if not found.is_dir():
        raise BaselineError(f"the run was started in {found}, which isn't there: {GIVE_IT}")
    return Command(arguments=tuple(map(_at_home, texts)), folder=found)


def refuse_without_trainer(baseline: Baseline) -> None:
    """Refuse a run in which nothing could be set or limited.

    Raises:
        BaselineError: When the run was a loop of the user's own.
    """
    if baseline.environment.identity.get("strategy") is None:
        raise BaselineError(
            "this run was made without a Trainer, in which prove sets what it tries: in a loop of "
            "your own, change a setting by hand and compare both by `ocr-baseline run --against`"
        )


def other_machine(baseline: Baseline) -> str | None:
    """Return a sentence where a run was recorded on another machine than this one, else None."""
    there, here = baseline.environment.identity, environment.identity()
    known = [name for name in _OF_MACHINE if there.get(name) is not None]
    if all(there[name] == here[name] for name in known):
        return None
    told, tells = (
        ", ".join(f"{name} {machine[name]}" for name in known) for machine in (there, here)
    )
    return (
        f"the run was recorded on another machine ({told}; here: {tells}): what is predicted is of "
        "that one, what is measured of this one"
    )


def _at_home(text: str) -> str:
    """Return a text with the home folder in it, which outputs have as `~`."""
    return _HOME.sub(lambda _: str(Path.home()), text)
