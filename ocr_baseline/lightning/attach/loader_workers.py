"""Starts a loader's workers so that they record themselves.

The loader is the user's: its attributes are read as they are stored, past properties of a subclass,
and the one that is set for a moment is set in the object's own dictionary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocr_baseline.lightning.run.plain_values import plain_int
from ocr_baseline.measure.workers import WorkerStart
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch.utils.data import DataLoader

    from ocr_baseline.measure.recorder import Recorder

_INIT = "worker_init_fn"


def start_iterating(
    loader: DataLoader[Any],
    original: Callable[[DataLoader[Any]], Iterator[Any]],
    *,
    recorder: Recorder,
    stage: Callable[[], Stage],
    operations: tuple[str, ...],
    failed: Callable[[Exception], None],
) -> Iterator[Any]:
    """Return `original(loader)`; workers that it starts record for `recorder`.

    Workers of a loader that keeps its attributes elsewhere than a plain DataLoader go unrecorded.
    """
    start = None
    try:
        if plain_int(vars(loader).get("num_workers")) and _keeps_its_init(loader):
            start = _worker_start(vars(loader), recorder, stage(), operations)
    except Exception as error:  # noqa: BLE001 - the guard: measuring ends, the training doesn't
        failed(error)
    if start is None:
        return original(loader)
    user_init, vars(loader)[_INIT] = vars(loader)[_INIT], start
    try:
        return original(loader)
    finally:
        if vars(loader).get(_INIT) is start:
            vars(loader)[_INIT] = user_init


def _worker_start(
    stored: Mapping[str, Any], recorder: Recorder, stage: Stage, operations: tuple[str, ...]
) -> WorkerStart:
    return WorkerStart(
        recorder.folder,
        rank=recorder.rank,
        stage=_recorded_stage(stage, is_persistent=bool(stored.get("persistent_workers"))),
        origin_ns=recorder.started_ns,
        operations=operations,
        prefetch_factor=plain_int(stored.get("prefetch_factor")),
        user_init=stored[_INIT],
    )


def _keeps_its_init(loader: DataLoader[Any]) -> bool:
    """Whether the loader stores its init function where a plain DataLoader does."""
    is_stored = _INIT in vars(loader)
    return is_stored and not any(_INIT in vars(base) for base in type(loader).__mro__)


def _recorded_stage(stage: Stage, *, is_persistent: bool) -> Stage:
    """Return whose workers these are: those of the sanity check that stay go on to validate."""
    return Stage.VALIDATION if stage is Stage.SANITY_CHECK and is_persistent else stage
