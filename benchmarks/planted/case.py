"""What a case is: a training that can be built with its cause and without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.planted.training import Training

Expected = Literal["cause", "finding", "nothing", "busy"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One training; `build(True)` has the cause, `build(False)` is the same without it.

    Attributes:
        name: The cause, in words.
        phase: The phase that pays for it.
        names: The report's first cause is right when it holds one of these. Where a finding is
            expected: its id, and what its title or advice should hold.
        build: Makes the training; called in a process of its own.
        expected: What the report should say first: the cause, that there is nothing to gain, or
            that the machine was busy; or the finding that it should have anywhere, and not without
            the cause.
    """

    name: str
    build: Callable[[bool], Training]
    phase: str = "train"
    names: tuple[str, ...] = ()
    expected: Expected = "cause"


CASES: list[Case] = []


def planted(
    name: str, *names: str, phase: str = "train"
) -> Callable[[Callable[[bool], Training]], Callable[[bool], Training]]:
    """Register a function that builds a training as a case."""

    def register(build: Callable[[bool], Training]) -> Callable[[bool], Training]:
        CASES.append(Case(name=name, build=build, phase=phase, names=names))
        return build

    return register


def planted_finding(
    name: str, *names: str
) -> Callable[[Callable[[bool], Training]], Callable[[bool], Training]]:
    """Register a training whose report should have a finding, and not without its cause."""

    def register(build: Callable[[bool], Training]) -> Callable[[bool], Training]:
        CASES.append(Case(name=name, build=build, names=names, expected="finding"))
        return build

    return register
