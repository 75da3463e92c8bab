"""Which runs of a stored name a comparison should meet: those made where and as the new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.comparison.identity import fingerprint, workload_hash
from ocr_baseline.reports.text.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ocr_baseline.comparison.summary import RunSummary
    from ocr_baseline.store.baselines import BaselineStore, Entry

MAX_STORED = 200
"""Read at most so many: forty sittings of five."""
OTHERS_SHOWN = 5


def runs_like(
    like: Sequence[RunSummary],
    store: BaselineStore,
    name: str,
    entries: Sequence[Entry],
    tell: Callable[[str], None],
) -> list[RunSummary]:
    """Return the latest runs of a name with the environment and the workload of `like`.

    Without `like` all of them. Where none fits, the latest of the others, so that a comparison
    can say what differs. `tell` hears what was left out.

    Raises:
        BaselineError: When the store can't be read.
    """
    if not like:
        return store.load(name, entries)
    wanted = fingerprint(like[0].environment.identity)
    fitting = [entry for entry in entries if entry.fingerprint == wanted]
    others = len(entries) - len(fitting)
    if others and fitting:
        tell(f"{name}: left out: {counted(others, 'run')} of other environments")
    runs = store.load(name, fitting[-MAX_STORED:] or entries[-OTHERS_SHOWN:])
    work = workload_hash(like[0])
    if not any(workload_hash(run) == work for run in runs):
        work = workload_hash(runs[-1])
    same = [run for run in runs if workload_hash(run) == work]
    if len(same) < len(runs):
        left = counted(len(runs) - len(same), "run")
        tell(f"{name}: left out: {left} that did other work")
    return same
