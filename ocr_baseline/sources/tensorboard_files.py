"""The scalars in TensorBoard's event files, in each encoding that writers have used."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from ocr_baseline.errors import SourceError
from ocr_baseline.files import kind_of
from ocr_baseline.sources.logged.numbers import NotANumber
from ocr_baseline.sources.logged.series import is_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ocr_baseline.sources.logged.keys import KeyParser

_FIRST_VERSION_WITH_STARTS = 2.0
"""Of event files: since then a writer that goes on after a crash says from which step."""
_MOST_NAMED = 5


class Scalar(NamedTuple):
    """One logged value; `wall_time` is seconds since 1970."""

    wall_time: float
    step: int
    value: Any


@dataclass
class EventSeries:
    """The known series of event files, and what there is to say of the reading."""

    series: dict[str, list[Scalar]] = field(default_factory=lambda: defaultdict(list))
    started_at_s: float | None = None
    goes_on_from: int | None = None
    warnings: list[str] = field(default_factory=list)

    def drop_from(self, step: int) -> None:
        """Drop what was logged at a step or after it: a run went on before it, after a crash."""
        for points in self.series.values():
            points[:] = [point for point in points if point.step < step]


def read_files(files: Sequence[Path], parse: KeyParser) -> EventSeries:
    """Return the series in the files of one run.

    Raises:
        SourceError: The package is missing, no file holds a value, or the files are of several
            runs.
    """
    by_file = {file: _read_file(file, parse) for file in files}
    ordered = sorted(
        (file for file in files if by_file[file].started_at_s is not None),
        key=lambda file: (by_file[file].started_at_s or 0.0, file.name),
    )
    if not ordered:
        raise SourceError(f"{files[0].parent}: its event files hold no scalar that can be read")
    for earlier, later in pairwise(ordered):
        if _begins_anew(by_file[earlier], by_file[later]):
            named = ", ".join(str(file) for file in ordered[:_MOST_NAMED])
            raise SourceError(
                f"{earlier.parent}: its event files are of several runs, as steps that were logged "
                f"are logged again; name one of them: {named}"
            )
    whole = EventSeries(started_at_s=by_file[ordered[0]].started_at_s)
    for file in ordered:
        found = by_file[file]
        if found.goes_on_from is not None:
            whole.drop_from(found.goes_on_from)
        _go_on(whole, found)
        whole.warnings.extend(found.warnings)
    return whole


def _begins_anew(earlier: EventSeries, later: EventSeries) -> bool:
    """Whether a file logs again what one before it began with, and doesn't say that it goes on."""
    if later.goes_on_from is not None:
        return False
    for tag in earlier.series.keys() & later.series.keys():
        before, after = earlier.series[tag], later.series[tag]
        if before and after and after[0].step <= before[0].step:
            return True
    return False


def _go_on(whole: EventSeries, found: EventSeries) -> None:
    again = 0
    for tag, points in found.series.items():
        held = whole.series[tag]
        kept = [point for point in held if not points or point.step < points[0].step]
        again += (len(held) - len(kept)) if not is_epoch(tag) else 0
        whole.series[tag] = [*kept, *points]
    if again:
        whole.warnings.append(
            f"A later event file logs {again} values again, as a run does that went on from a "
            "checkpoint: the later ones were read."
        )


def _read_file(file: Path, parse: KeyParser) -> EventSeries:
    try:
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no types
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    except ImportError as error:
        raise SourceError(
            f"{file}: reading TensorBoard events needs the package tensorboard: "
            "pip install 'ocr-baseline[tensorboard]'"
        ) from error
    kind_of(file)  # TensorBoard's own reader would wait at a pipe
    found = EventSeries()
    taker = _Taker(found, lambda tag: parse(tag) is not None or is_epoch(tag))
    try:
        for event in LegacyEventFileLoader(str(file)).Load():
            taker.take(event)
    except DecodeError:
        found.warnings.append("An event is damaged: the events after it were left out.")
    return found


class _Taker:
    def __init__(self, found: EventSeries, is_known: Callable[[str], bool]) -> None:
        self._found = found
        self._is_known = is_known
        self._known: dict[str, bool] = {}
        self._last_step = 0
        self._tells_starts = False

    def take(self, event: Any) -> None:
        if event.file_version:
            version = re.fullmatch(r"brain\.Event:([\d.]+)", event.file_version)
            self._tells_starts = (
                version is not None and float(version[1]) >= _FIRST_VERSION_WITH_STARTS
            )
        if self._tells_starts and event.session_log.status == event.session_log.START:
            self._found.goes_on_from = event.step
            self._found.drop_from(event.step)
        if not event.HasField("summary"):
            return
        for value in event.summary.value:
            self._take_value(event, value)

    def _take_value(self, event: Any, value: Any) -> None:
        found = self._found
        if found.started_at_s is None or event.wall_time < found.started_at_s:
            found.started_at_s = event.wall_time
        tag = value.tag
        if tag not in self._known:
            self._known[tag] = self._is_known(tag)
        if not self._known[tag]:
            return
        points = found.series[tag]
        if not self._tells_starts and points and event.step < points[-1].step:
            points[:] = [point for point in points if point.step < event.step]
        points.append(Scalar(event.wall_time, event.step, _number(value)))


def _number(value: Any) -> float | NotANumber:
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    if kind != "tensor":
        return NotANumber(f"{kind or 'nothing'}, an encoding that can't be read")
    from tensorboard.util.tensor_util import make_ndarray

    try:
        array = make_ndarray(value.tensor)
        if array.size != 1:
            return NotANumber(f"a tensor of {array.size} elements")
        return float(array.reshape(()).item())
    except (TypeError, ValueError, OverflowError):
        return NotANumber("a tensor that isn't a number")
