"""Sampled call stacks as records: functions by number, with files as an import names them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.measure.sampling import OTHERS
from ocr_baseline.records.format import ROWS_PER_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType

    from ocr_baseline.measure.sampling import StackSampler, Stacks
    from ocr_baseline.measure.timeline import Timeline
    from ocr_baseline.records.format import StackFunctionsJson, StackSamplesJson
    from ocr_baseline.vocabulary import Stage

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 320.0
"""Stacks are written after 5 s, then after twice as long each time: most of them come again."""

_OTHERS_NAME = "others"
_PACKAGES = ("/site-packages/", "/dist-packages/")


class StackRecords:
    """Turns what a sampler takes into records; functions are numbered as they are written."""

    def __init__(self, sampler: StackSampler, timeline: Timeline) -> None:
        """Write what `sampler` meets on `timeline`."""
        self._sampler = sampler
        self._timeline = timeline
        self._numbers: dict[int, int] = {}
        self._wait_s = FIRST_WAIT_S
        self._due_s = time.monotonic() + self._wait_s
        self._shorten = _PathsAsImported()

    def due(self, *, at_once: bool) -> Iterator[StackFunctionsJson | StackSamplesJson]:
        """Yield what was sampled since the last time, when it is time or `at_once`."""
        now_s = time.monotonic()
        if not at_once and now_s < self._due_s:
            return
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
        self._due_s = now_s + self._wait_s
        taken = self._sampler.take()
        yield from self._new_functions([stacks.ticks for stacks in taken.values()])
        for stage, stacks in taken.items():
            yield from self._stage_records(stage, stacks.ticks, stacks.cost_ns)

    def _new_functions(self, stages: Sequence[Stacks]) -> Iterator[StackFunctionsJson]:
        met = {code for ticks in stages for stack in list(ticks) for code in stack[1:]}
        new = sorted(met - self._numbers.keys())
        if not new:
            return
        codes = [self._sampler.codes.get(identity) for identity in new]
        first = len(self._numbers)
        yield {
            "type": "stack_functions",
            "first": first,
            "name": [_OTHERS_NAME if code is None else _name(code) for code in codes],
            "file": ["" if code is None else self._shorten(code.co_filename) for code in codes],
            "line": [0 if code is None else code.co_firstlineno for code in codes],
        }
        # Comes here only when the record could be written.
        self._numbers.update((identity, number) for number, identity in enumerate(new, first))

    def _stage_records(
        self, stage: Stage, ticks: Stacks, cost_ns: int
    ) -> Iterator[StackSamplesJson]:
        rows = list(ticks.items())
        names = self._timeline.names
        for begin in range(0, len(rows), ROWS_PER_RECORD):
            some = rows[begin : begin + ROWS_PER_RECORD]
            yield {
                "type": "stack_samples",
                "stage": stage.value,
                "interval_ns": self._sampler.interval_ns,
                "cost_ns": 0 if begin else cost_ns,
                "line": [names[stack[0]] for stack, _ in some],
                "stack": [[self._numbers[code] for code in stack[:0:-1]] for stack, _ in some],
                "ticks": [count for _, count in some],
            }


def _name(code: CodeType) -> str:
    return str(getattr(code, "co_qualname", code.co_name))  # Python 3.10 has no qualified name


class _PathsAsImported:
    """File names without the folder in front that an import leaves out, and without a home."""

    def __init__(self) -> None:
        own = Path.cwd().as_posix()
        self._folders = [own] if own != "/" else []
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
                return inside
        for folder in self._folders:
            if path.startswith(f"{folder}/"):
                return path[len(folder) + 1 :]
        return "/".join(path.split("/")[-2:])


assert OTHERS == 0  # noqa: S101 - sorted first, and no identity of a code object
