"""Events of the trace event format, each one line of JSON.

The format is described in "Trace Event Format" by the Chromium project, and Perfetto reads it:
https://perfetto.dev/docs/getting-started/other-formats. Instants and durations are microseconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ocr_baseline.model.privacy import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MEASURED = "measured"
SUMMED = "summed"
"""The category of slices whose duration was measured and whose place in their parent wasn't."""


class Track(NamedTuple):
    """Where slices are drawn: a row of a process."""

    process: int
    number: int


class Events:
    """Writes events on one axis of time; names pass the output gate, each once."""

    def __init__(self, origin_s: float) -> None:
        """Take the instant of the run at which the trace's time is 0."""
        self._origin_ns = _ns(origin_s)
        self._names = Names()
        self._quoted: dict[str, str] = {}
        self._tracks = 0

    def instant_ns(self, instant_s: float) -> int:
        """Return an instant of the run in nanoseconds of the trace."""
        return max(0, _ns(instant_s) - self._origin_ns)

    def process(self, process: int, name: str) -> Iterator[str]:
        """Name a process and give it its place among the others."""
        yield self._metadata(process, 0, "process_name", f'"name":{self.quoted(name)}')
        yield self._metadata(process, 0, "process_sort_index", f'"sort_index":{process}')

    def track(self, process: int, name: str) -> tuple[Track, list[str]]:
        """Return a new row of a process, below its others, and the events that make it."""
        self._tracks += 1
        track = Track(process, self._tracks)
        made = [
            self._metadata(*track, "thread_name", f'"name":{self.quoted(name)}'),
            self._metadata(*track, "thread_sort_index", f'"sort_index":{track.number}'),
        ]
        return track, made

    def slice(
        self,
        track: Track,
        name: str,
        start_ns: int,
        end_ns: int,
        arguments: Mapping[str, float] | None = None,
        category: str = MEASURED,
    ) -> str:
        """Return something that took from one instant of the trace to another."""
        told = f',"args":{json.dumps(arguments)}' if arguments else ""
        return (
            f'{{"ph":"X","pid":{track.process},"tid":{track.number},"ts":{_micros(start_ns)},'
            f'"dur":{_micros(max(0, end_ns - start_ns))},"cat":"{category}",'
            f'"name":{self.quoted(name)}{told}}}'
        )

    def summed(
        self, track: Track, start_ns: int, end_ns: int, parts: Iterable[tuple[str, float]]
    ) -> Iterator[str]:
        """Yield what something consists of, end to end; parts are seconds, and none leaves it."""
        at_ns = start_ns
        for name, part_s in parts:
            part_end_ns = min(at_ns + _ns(part_s), end_ns)
            if part_end_ns > at_ns:
                yield self.slice(track, name, at_ns, part_end_ns, category=SUMMED)
                at_ns = part_end_ns

    def counter(self, process: int, name: str, unit: str, at_ns: int, value: float) -> str:
        """Return the value of a counter at an instant of the trace."""
        return (
            f'{{"ph":"C","pid":{process},"ts":{_micros(at_ns)},'
            f'"name":{self.quoted(name)},"args":{{"{unit}":{round(value, 3)}}}}}'
        )

    def quoted(self, name: str) -> str:
        """Return a name as JSON, without what no output may hold."""
        if name not in self._quoted:
            self._quoted[name] = json.dumps(self._names(name))
        return self._quoted[name]

    def _metadata(self, process: int, track: int, kind: str, argument: str) -> str:
        return f'{{"ph":"M","pid":{process},"tid":{track},"name":"{kind}","args":{{{argument}}}}}'


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _micros(nanoseconds: int) -> str:
    return f"{nanoseconds // 1000}.{nanoseconds % 1000:03d}"
