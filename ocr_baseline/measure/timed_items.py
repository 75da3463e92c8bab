"""Times each sample that torch's fetcher takes from a dataset, in a loader's worker.

The fetcher is torch's, made by its worker loop and seen by nobody else. It holds a stand-in that
passes everything on. The dataset, and what the worker knows as its dataset, stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocr_baseline.clocks import perf_counter_ns
from ocr_baseline.measure.sample_files import file_of

if TYPE_CHECKING:
    from ocr_baseline.measure.slowest import Slowest


class TimedItems:
    """Passes items on and offers their times; whatever else is asked goes to the dataset."""

    def __init__(self, dataset: Any, slowest: Slowest) -> None:
        """Stand in for `dataset`."""
        self._dataset = dataset
        self._slowest = slowest

    def __getitem__(self, index: Any) -> Any:
        """Return the dataset's item."""
        began_ns = perf_counter_ns()
        item = self._dataset[index]
        try:  # noqa: SIM105 - a context manager would cost each sample more
            self._slowest.offer_sample(index, perf_counter_ns() - began_ns, began_ns)
        except Exception:  # noqa: BLE001, S110 - the sample is the user's, whatever fails here
            pass
        return item

    def __getattr__(self, name: str) -> Any:
        """Return the dataset's own; a batch that it makes at once (`__getitems__`) isn't timed."""
        return getattr(self._dataset, name)


def time_items(fetcher: Any, slowest: Slowest) -> None:
    """Let a fetcher of map-style datasets take its items through a `TimedItems`."""
    from torch.utils.data._utils.fetch import _MapDatasetFetcher

    if type(fetcher) is not _MapDatasetFetcher:
        return
    dataset = fetcher.dataset
    slowest.file_of = lambda index: file_of(dataset, index)
    fetcher.dataset = TimedItems(dataset, slowest)
