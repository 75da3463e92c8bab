"""How a data-loader worker comes to be recorded: what it runs, from its start to its end.

A `MeasuredLoop` is what each worker process runs instead of torch's own loop, which it calls. There
it installs the timed operations and appends to a record file of the worker's. Nothing of the loader
is touched. Clock readings of different processes compare, because `perf_counter_ns` reads the
machine's monotonic clock.
"""

from __future__ import annotations

import inspect
import operator
import os
import sys
import threading
from contextlib import contextmanager, suppress
from multiprocessing import util as multiprocessing_util
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakMethod

from ocr_baseline.clocks import perf_counter_ns
from ocr_baseline.errors import OperationError
from ocr_baseline.measure import sections
from ocr_baseline.measure.instrument import Instrumentation, operation_context
from ocr_baseline.measure.operation_names import resolve
from ocr_baseline.measure.timed_items import time_items
from ocr_baseline.measure.worker_recorder import WorkerRecorder
from ocr_baseline.model.privacy import known_secrets, learn_secrets
from ocr_baseline.signal_errors import suppress_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ocr_baseline.measure.stage_cell import StageCell


class MeasuredLoop:
    """Runs torch's worker loop in a worker process and records it; picklable.

    A failure to record ends the recording of that worker, and nothing else.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rank: int,
        stage: StageCell,
        origin_ns: int,
        operations: tuple[str, ...],
        prefetch_factor: int | None,
        sampling_hz: float = 0.0,
    ) -> None:
        """Note what the worker needs, and the instant at which it was asked for."""
        self.folder = folder
        self.rank = rank
        self.stage = stage
        self.origin_ns = origin_ns
        self.operations = operations
        self.prefetch_factor = prefetch_factor
        self.sampling_hz = sampling_hz
        self.asked_ns = perf_counter_ns()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run in the worker process, from its start to its end."""
        loop = _own_loop()
        _starting.loop = None  # loaders inside the worker start workers of their own
        try:
            worker_id = inspect.signature(loop).bind(*args, **kwargs).arguments["worker_id"]
            recorder = self._start_recording(worker_id)
            _bracket_fetches(
                recorder,
                on_ready=lambda: self._write_start(recorder),
                on_resumed=lambda: recorder.work_for(self.stage.stage),
            )
        except Exception:  # noqa: BLE001 - a worker that can't be measured works on
            sections.listen(None)
        return loop(*args, **kwargs)

    def _write_start(self, recorder: WorkerRecorder) -> None:
        recorder.write_start(self.asked_ns, self.prefetch_factor)

    def _start_recording(self, worker_id: int) -> WorkerRecorder:
        """Open the records of this worker and time the operations in it."""
        recorder = WorkerRecorder(
            self.folder,
            rank=self.rank,
            stage=self.stage.stage,
            worker_id=worker_id,
            origin_ns=self.origin_ns,
            sampling_hz=self.sampling_hz,
            inside=MeasuredLoop.__call__.__code__,
        )
        recorder.operations.reserve(self.operations)
        if not sections.is_listening():
            self._time_operations()
        sections.listen(recorder.operations)
        multiprocessing_util.Finalize(
            recorder, recorder.guarded, args=(recorder.close,), exitpriority=100
        )
        return recorder

    def _time_operations(self) -> None:
        """Time the operations in a worker that was spawned, and so inherited none.

        One that can't be found here, as in a script's `__main__`, goes untimed.
        """
        found = []
        for name in self.operations:
            with suppress(OperationError):
                found.append((resolve(name, is_tried=True), operation_context(name)))
        with suppress(OperationError):
            Instrumentation().time(*found)


class _StartedLoop:
    """In the place of torch's loop: becomes the `MeasuredLoop` of the thread that starts a worker.

    A thread that starts workers of its own meanwhile gets torch's.
    """

    __module__ = "torch.utils.data._utils.worker"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run in a worker that was forked."""
        return self._loop()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Return what torch's loop has: a context of the user's may ask for its name."""
        return getattr(_own_loop(), name)

    def __reduce__(self) -> Any:
        """Travel to a worker that is spawned or comes from a fork server.

        The secrets that its records must not hold go with the loop, through the pipe that brings
        the dataset too. They are written nowhere. A worker that won't find this package gets the
        loop that it would have without it.
        """
        loop, own = self._loop(), _own_loop()
        if loop is not own and _is_found_by_name():
            return _received, (loop, known_secrets())
        if getattr(own, "__module__", None) == self.__module__:
            return "_worker_loop"  # by its name there, where this object is meanwhile
        return operator.itemgetter(0), ((own,),)

    def _loop(self) -> Any:
        return getattr(_starting, "loop", None) or _own_loop()


def _is_found_by_name() -> bool:
    """Whether a new process with this one's path imports this very package.

    A program may have put its folder on the path for as long as it took to import it.
    """
    package = sys.modules[__name__.partition(".")[0]]
    with suppress_failures():  # a finder of the program's may fail in any way
        for finder in sys.meta_path:
            spec = finder.find_spec(package.__name__, None)
            if spec is not None:
                return spec.origin == package.__file__
    return False


def _received(loop: MeasuredLoop, secrets: tuple[str, ...]) -> MeasuredLoop:
    with suppress(Exception):  # a worker starts, whatever becomes of its measuring
        learn_secrets(secrets)
    return loop


_starting = threading.local()
_started_loop = _StartedLoop()
_torch_loops: list[Any] = []
"""What `_started_loop` is in the place of, once for each thread that starts workers now."""
_lock = threading.Lock()


@contextmanager
def measured_workers(loop: MeasuredLoop) -> Iterator[None]:
    """Let the workers that this thread starts inside the block run `loop`.

    A torch that names its loop otherwise runs its own.
    """
    from torch.utils.data._utils import worker

    if not hasattr(worker, "_worker_loop"):
        yield
        return
    with _lock:
        _torch_loops.append(_own_loop())
        worker._worker_loop = _started_loop
    _starting.loop = loop
    try:
        yield
    finally:
        _starting.loop = None
        with _lock:
            own = _torch_loops.pop()
            if not _torch_loops and worker._worker_loop is _started_loop:
                worker._worker_loop = own


def _own_loop() -> Any:
    """Return torch's loop, or what another library has put in its place."""
    from torch.utils.data._utils import worker

    return _torch_loops[-1] if worker._worker_loop is _started_loop else worker._worker_loop


def _bracket_fetches(
    recorder: WorkerRecorder, *, on_ready: Callable[[], None], on_resumed: Callable[[], None]
) -> None:
    """Bracket each batch that torch's loop makes in this process.

    The loop makes a fetcher as it begins, and another one for each further pass of a worker that is
    kept. Loaders inside the worker have fetchers too, which another function than the loop makes.
    A torch without these names leaves the batches untimed.
    """
    from torch.utils.data.dataloader import _DatasetKind

    create: Any = _DatasetKind.create_fetcher
    process = os.getpid()

    def create_fetcher(*args: Any, **kwargs: Any) -> Any:
        is_of_loop = sys._getframe(1).f_code.co_name == "_worker_loop" and os.getpid() == process
        if is_of_loop:
            recorder.guarded(on_resumed if recorder.is_ready else on_ready)
        fetcher = create(*args, **kwargs)
        if is_of_loop:
            recorder.guarded(lambda: time_items(fetcher, recorder.slowest))
            recorder.guarded(lambda: _bracket(fetcher, recorder))
        return fetcher

    _DatasetKind.create_fetcher = staticmethod(create_fetcher)  # type: ignore[method-assign]  # in a process of its own


def _bracket(fetcher: Any, recorder: WorkerRecorder) -> None:
    fetcher.fetch = _bracketed(_let_go_of(fetcher.fetch), recorder)


def _let_go_of(method: Callable[[Any], Any]) -> Callable[[], Callable[[Any], Any]]:
    """Return what gives a method back and doesn't hold its object, where that can be.

    A stream cleans up when the loop lets go of the fetcher: in a cycle it would when the collector
    comes by, which it may not do before the worker has ended.
    """
    try:
        return cast("Callable[[], Callable[[Any], Any]]", WeakMethod(method))
    except TypeError:  # a fetcher of the user's own, with a function or without weak references
        return lambda: method


def _bracketed(
    method: Callable[[], Callable[[Any], Any]], recorder: WorkerRecorder
) -> Callable[[Any], Any]:
    """Return what calls the fetcher's own method in a fetch of the recorder's."""

    def fetch(index: Any) -> Any:
        function = method()
        recorder.guarded(recorder.begin_fetch)
        try:
            batch = function(index)
        except StopIteration:
            recorder.guarded(recorder.end_data)
            raise
        except BaseException:
            recorder.guarded(recorder.end_fetch)
            raise
        recorder.guarded(lambda: recorder.end_fetch(index))
        return batch

    return fetch
