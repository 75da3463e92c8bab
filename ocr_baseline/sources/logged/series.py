"""Series of scalars, a point each with its step and instant, as rows of logged metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ocr_baseline.sources.logged.keys import KeyParser


class Point(Protocol):
    """One logged value, a number or `NotANumber`; `wall_time` is seconds since 1970."""

    @property
    def wall_time(self) -> float: ...  # noqa: D102 - see the class

    @property
    def step(self) -> int: ...  # noqa: D102 - see the class

    @property
    def value(self) -> Any: ...  # noqa: D102 - see the class


def is_epoch(key: str) -> bool:
    """Say whether a series tells the epoch of its steps, a logger's prefix before it or not."""
    return key == "epoch" or key.endswith(("-epoch", "/epoch"))


def rows_of(series: Mapping[str, Sequence[Point]], parse: KeyParser) -> Iterator[dict[str, object]]:
    """Yield one row for each point of a recognised key in the order of time, with its epoch."""
    epochs = _Epochs(point for key in series if is_epoch(key) for point in series[key])
    start = min((point.wall_time for points in series.values() for point in points), default=0.0)
    found = [(point, key) for key, points in series.items() if parse(key) for point in points]
    for point, key in sorted(found, key=lambda entry: (entry[0].wall_time, entry[0].step)):
        yield {
            key: point.value,
            "step": point.step,
            "epoch": epochs.of(point),
            "_runtime": point.wall_time - start,
        }


class _Epochs:
    """The epoch of a point: the one that was logged at its step, and nearest to it in time.

    The validation that ends an epoch and the first batch of the next can share a step.
    """

    def __init__(self, points: Iterable[Point]) -> None:
        self._at_step: dict[int, list[Point]] = {}
        for point in points:
            self._at_step.setdefault(point.step, []).append(point)

    def of(self, point: Point) -> Any:
        candidates = self._at_step.get(point.step)
        if not candidates:
            return None
        return min(candidates, key=lambda epoch: abs(epoch.wall_time - point.wall_time)).value
