"""What a member is, and the list that its file gathers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.guest_members.session import Guest

Run = Callable[["Guest"], None]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One thing that users do.

    Attributes:
        name: The function's name, unique in its kind.
        sentence: What is done.
        run: Does it, in a process of its own.
        limit_s: After this long it hangs.
    """

    name: str
    sentence: str
    run: Run
    limit_s: float


class Members:
    """The members of one kind, in the order of their file."""

    def __init__(self) -> None:
        """Begin with none."""
        self.by_name: dict[str, Member] = {}

    def __call__(self, run: Run) -> Run:
        """Take a function as a member; the first line of its docstring is its sentence."""
        return self.within(120.0)(run)

    def within(self, limit_s: float) -> Callable[[Run], Run]:
        """Take a function that may need longer than others."""

        def add(run: Run) -> Run:
            name = run.__name__
            sentence = (run.__doc__ or name).splitlines()[0].rstrip(".")
            self.by_name[name] = Member(name=name, sentence=sentence, run=run, limit_s=limit_s)
            return run

        return add
