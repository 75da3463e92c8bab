"""Records of sampled call stacks: functions by process, stacks by stage and kind of process."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocr_baseline.model.run import SampledFunction, SampledStack, StackSamples
from ocr_baseline.records import checks
from ocr_baseline.records.format import MAX_STACK_DEPTH, MAX_STACK_FUNCTIONS
from ocr_baseline.vocabulary import SECONDS_PER_NS, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    Process = Literal["main", "worker"]

Stack = tuple[str, tuple[int, ...]]
"""A line of the breakdown, and functions by their number in the group, outermost first."""


@dataclass
class _Group:
    """The stacks of one stage in one kind of process."""

    interval_ns: int
    cost_ns: int = 0
    functions: dict[SampledFunction, int] = field(default_factory=dict)
    ticks: Counter[Stack] = field(default_factory=Counter)

    def number_of(self, function: SampledFunction) -> int:
        return self.functions.setdefault(function, len(self.functions))


@dataclass
class RecordedStacks:
    """Stacks in the order of the files; a worker's functions are numbered by its process id."""

    _functions: dict[int | None, dict[int, SampledFunction]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _groups: dict[tuple[Stage, Process], _Group] = field(default_factory=dict)

    @property
    def has_main_samples(self) -> bool:
        """Whether any stack of the main process was read."""
        return any(process == "main" for _, process in self._groups)

    def take_functions(self, record: Mapping[str, Any]) -> None:
        """Take functions in; raise `ValueError` when the columns don't fit together."""
        first = checks.count(record["first"])
        names, files = (_texts(record[key]) for key in ("name", "file"))
        lines = checks.counts(record["line"]).tolist()
        if not len(names) == len(files) == len(lines):
            raise ValueError("columns of different lengths in a record of functions")
        if first + len(names) > MAX_STACK_FUNCTIONS:
            raise ValueError("more functions than the recorder keeps")
        found = zip(names, files, lines, strict=True)
        self._functions[_pid(record)].update(
            (number, SampledFunction(*columns)) for number, columns in enumerate(found, first)
        )

    def take_samples(self, record: Mapping[str, Any]) -> None:
        """Take stacks in; raise `ValueError` when they name functions that weren't read."""
        stage, pid = Stage(record["stage"]), _pid(record)
        interval_ns, cost_ns = checks.nanoseconds([record["interval_ns"], record["cost_ns"]])
        lines, ticks = _texts(record["line"]), checks.counts(record["ticks"]).tolist()
        stacks = [self._stack(pid, numbers) for numbers in record["stack"]]
        if not len(lines) == len(ticks) == len(stacks):
            raise ValueError("columns of different lengths in a record of stacks")
        process: Process = "main" if pid is None else "worker"
        group = self._groups.get((stage, process)) or _Group(int(interval_ns))
        if not 0 < group.interval_ns == interval_ns:
            raise ValueError("an interval of no length, or another one than before")
        self._groups[stage, process] = group
        group.cost_ns += int(cost_ns)
        for line, stack, count in zip(lines, stacks, ticks, strict=True):
            group.ticks[line, tuple(map(group.number_of, stack))] += count

    def _stack(self, pid: int | None, numbers: Any) -> list[SampledFunction]:
        known = self._functions[pid]
        if not isinstance(numbers, list) or not 0 < len(numbers) <= MAX_STACK_DEPTH:
            raise ValueError("a stack is not a list of functions")
        return [known[number] for number in numbers]

    def samples(self) -> tuple[StackSamples, ...]:
        """Return the stacks of each stage and kind of process, the heaviest first."""
        return tuple(
            StackSamples(
                stage=stage,
                process=process,
                interval_s=group.interval_ns * SECONDS_PER_NS,
                functions=tuple(group.functions),
                stacks=tuple(
                    SampledStack(line, stack, ticks)
                    for (line, stack), ticks in group.ticks.most_common()
                    if ticks
                ),
                cost_s=group.cost_ns * SECONDS_PER_NS,
            )
            for (stage, process), group in self._groups.items()
        )


def _pid(record: Mapping[str, Any]) -> int | None:
    return checks.whole_number(record["pid"]) if "pid" in record else None


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list):
        raise ValueError("a column is not a list of texts")
    return [checks.text(value) for value in values]
