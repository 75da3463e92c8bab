"""Sampled call stacks as records: functions by number, with files as an import names them."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ocr_baseline.clocks import monotonic
from ocr_baseline.files import working_folder
from ocr_baseline.records.format import ROWS_PER_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType

    from ocr_baseline.measure.sampling import StackSampler
    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.records.format import StackFunctionsJson, StackSamplesJson
    from ocr_baseline.vocabulary import Stage

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 320.0
"""Stacks are written after 5 s, then after twice as long each time: most of them come again."""

Rows = list[tuple[tuple[int, ...], int]]
"""Stacks as the sampler keeps them, with their ticks."""

Function = tuple[str, str, int]
"""Name, file and first line."""

_OTHERS: Function = ("others", "", 0)
_STDLIB = Path(sysconfig.get_path("stdlib"))
_PACKAGES = ("/site-packages/", "/dist-packages/")


class _Process(TypedDict, total=False):
    """Which process the records are of; nothing for the main one."""

    pid: int
    worker: int


class StackRecords:
    """Turns what a sampler takes into records; functions are numbered as they are written."""

    def __init__(
        self,
        sampler: StackSampler,
        timeline: Timeline,
        *,
        worker: int | None = None,
        inside: CodeType | None = None,
    ) -> None:
        """Write what `sampler` meets on `timeline`.

        Args:
            sampler: Where stacks come from.
            timeline: Whose lines they name.
            worker: The number of the data-loader worker that this process is.
            inside: Stacks are cut to what this function calls: a forked process began inside the
                functions of its parent.
        """
        self._inside = id(inside)
        self._process: _Process = {} if worker is None else {"pid": os.getpid(), "worker": worker}
        self._sampler = sampler
        self._timeline = timeline
        self._numbers: dict[Function, int] = {}
        self._identities: dict[int, int] = {}
        self._wait_s = FIRST_WAIT_S
        self._due_s = monotonic() + self._wait_s
        self._shorten = _PathsAsImported()

    def due(self, *, at_once: bool) -> Iterator[StackFunctionsJson | StackSamplesJson]:
        """Yield what was sampled since the last time, when it is time or `at_once`."""
        now_s = monotonic()
        if not at_once and now_s < self._due_s:
            return
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
        self._due_s = now_s + self._wait_s
        taken = {
            stage: (
                [(self._cut(stack), count) for stack, count in list(stacks.ticks.items())],
                stacks.cost_ns,
            )
            for stage, stacks in list(self._sampler.take().items())
        }
        yield from self._new_functions([rows for rows, _ in taken.values()])
        for stage, (rows, cost_ns) in taken.items():
            yield from self._stage_records(stage, rows, cost_ns)

    def _cut(self, stack: tuple[int, ...]) -> tuple[int, ...]:
        place = stack.index(self._inside) if self._inside in stack else 0
        return stack[:place] if place > 1 else stack

    def forget(self) -> None:
        """Let go of the functions met so far, and of what was not written; nothing samples now.

        The code of a timed method holds what it runs inside, and so the run, its trainer and this:
        the collector of garbage doesn't look into code and would never free them.
        """
        self._sampler.take()
        self._sampler.codes.clear()
        self._identities.clear()

    def _new_functions(self, stages: Sequence[Rows]) -> Iterator[StackFunctionsJson]:
        met = {code for rows in stages for stack, _ in rows for code in stack[1:]}
        functions = {
            identity: self._function(identity) for identity in sorted(met - self._identities.keys())
        }
        first = len(self._numbers)
        new = [one for one in dict.fromkeys(functions.values()) if one not in self._numbers]
        if new:
            yield {
                "type": "stack_functions",
                "first": first,
                "name": [name for name, _, _ in new],
                "file": [file for _, file, _ in new],
                "line": [line for _, _, line in new],
                **self._process,
            }
        # Comes here only when the record could be written.
        self._numbers.update((function, number) for number, function in enumerate(new, first))
        self._identities.update(
            (identity, self._numbers[function]) for identity, function in functions.items()
        )

    def _function(self, identity: int) -> Function:
        code = self._sampler.codes.get(identity)
        if code is None:
            return _OTHERS
        return _name(code), self._shorten(code.co_filename), code.co_firstlineno

    def _stage_records(self, stage: Stage, rows: Rows, cost_ns: int) -> Iterator[StackSamplesJson]:
        names = self._timeline.names
        for begin in range(0, len(rows), ROWS_PER_RECORD):
            some = rows[begin : begin + ROWS_PER_RECORD]
            yield {
                "type": "stack_samples",
                "stage": stage.value,
                "interval_ns": self._sampler.interval_ns,
                "cost_ns": 0 if begin else cost_ns,
                "line": [names[stack[0]] for stack, _ in some],
                "stack": [[self._identities[code] for code in stack[:0:-1]] for stack, _ in some],
                "ticks": [count for _, count in some],
                **self._process,
            }


def _name(code: CodeType) -> str:
    return str(getattr(code, "co_qualname", code.co_name))  # Python 3.10 has no qualified name


class _PathsAsImported:
    """File names without the folder in front that an import leaves out, and without a home.

    What is installed keeps `site-packages/` in front, and the standard library `python3.12/`: they
    tell whose code it is.
    """

    def __init__(self) -> None:
        own = working_folder()
        self._folders = [own.as_posix()] if own is not None and own != Path("/") else []
        places = sorted({Path(place).as_posix() for place in sys.path if place}, key=len)
        self._folders += [place for place in reversed(places) if place not in {"/", "."}]

    def __call__(self, file: str) -> str:
        """Return the path as of the working folder or of what is on Python's path.

        Of a file that is in neither the last two parts are kept.
        """
        path = file.replace("\\", "/")
        if path.startswith("<") or not Path(file).is_absolute():
            return path
        for packages in _PACKAGES:
            _, found, inside = path.rpartition(packages)
            if found:
                return packages.lstrip("/") + inside
        if path.startswith(f"{_STDLIB.as_posix()}/"):
            return f"{_STDLIB.name}/{path[len(_STDLIB.as_posix()) + 1 :]}"
        for folder in self._folders:
            if path.startswith(f"{folder}/"):
                return path[len(folder) + 1 :]
        return "/".join(path.split("/")[-2:])
