"""What is tried, in which order, and what came of it.

Two arms run in the order A B B A, so a machine that warms up or slows down affects both alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ocr_baseline.errors import TrialsError
from ocr_baseline.layout import BASELINE_FOLDER

WARM_UP = "warmup"
OUTPUT_NAME = "output.log"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,99}")


@dataclass(frozen=True)
class Arm:
    """One of the things that take turns.

    Attributes:
        name: Its runs' folders begin with it.
        command: The program and its arguments.
        environment: Variables on top of this process's own.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One run that is to be made."""

    arm: Arm
    number: int
    is_warm_up: bool = False

    @property
    def name(self) -> str:
        """The name of its folder: `warmup-0`, `a-0`, `b-0`, `b-1`, ..."""
        return f"{WARM_UP if self.is_warm_up else self.arm.name}-{self.number}"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A run that was made.

    Attributes:
        arm: The name of its arm; `warmup` for a warm-up run.
        number: Which run of its arm, from 0.
        folder: The run's folder: `output.log`, and the baseline in `baseline/`.
        took_s: From the start of its process to the end.
        canary_s: What a fixed piece of work took just before it: more on a busier machine.
        failure: Why the run doesn't count; None where it does.
    """

    arm: str
    number: int
    folder: Path
    took_s: float
    canary_s: float
    failure: str | None = None

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def baseline(self) -> Path:
        """The folder of its baseline."""
        return self.folder / BASELINE_FOLDER


def turns(arms: Sequence[Arm], repeats: int, warm_ups: int = 1) -> list[Turn]:
    """Return what is to be run, in order: warm-ups of the first arm, then A B B A and so on.

    Raises:
        TrialsError: When there is nothing to run, or an arm's name can't be that of a folder.
    """
    if not arms or repeats < 1 or warm_ups < 0:
        raise TrialsError(
            f"nothing to repeat: {len(arms)} commands, {repeats} runs each, {warm_ups} to warm up"
        )
    names = [arm.name for arm in arms]
    for name in names:
        if not _NAME.fullmatch(name) or name == WARM_UP or names.count(name) > 1:
            raise TrialsError(f"{name!r} can't name the folders of one command's runs")
    first = [Turn(arm=arms[0], number=number, is_warm_up=True) for number in range(warm_ups)]
    return [*first, *_in_turns(arms, repeats)]


def _in_turns(arms: Sequence[Arm], repeats: int) -> Iterator[Turn]:
    for number in range(repeats):
        for arm in arms if number % 2 == 0 else reversed(arms):
            yield Turn(arm=arm, number=number)
