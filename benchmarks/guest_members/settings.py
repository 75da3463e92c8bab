"""Signals, clocks and settings of the process."""

from __future__ import annotations

import builtins
import decimal
import faulthandler
import gc
import json
import locale
import logging
import os
import random
import signal
import sys
import threading
import time
import types
import warnings
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
from lightning.pytorch import Callback
from lightning.pytorch.loggers import CSVLogger

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import Net, loader

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from benchmarks.guest_members.session import Guest

member = Members()
LONG_S = 600.0


class AtStart(Callback):
    """Calls a function at the start of the training."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def on_train_start(self, *args: Any) -> None:
        """Call it."""
        self.act()


@member
def own_handlers(guest: Guest) -> None:
    """The user's handlers of six signals are called, and are there afterwards."""
    got: list[str] = []
    numbers = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGALRM, signal.SIGPROF)
    for number in numbers:
        signal.signal(number, lambda n, frame: got.append(signal.Signals(n).name))
    before = [signal.getsignal(number) for number in numbers]

    class Signals(Callback):
        def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, index: int) -> None:
            os.kill(os.getpid(), numbers[index % len(numbers)])

        def on_fit_end(self, *args: Any) -> None:
            os.kill(os.getpid(), signal.SIGUSR2)

    guest.fit(None, None, None, Signals())
    guest.tell(got=sorted(got), kept=[signal.getsignal(number) for number in numbers] == before)


@member
def alarm_in_the_run(guest: Guest) -> None:
    """A timer of the user's own ticks every 5 ms."""
    ticks: list[int] = []
    signal.signal(signal.SIGALRM, lambda *args: ticks.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    guest.fit()
    still = signal.getitimer(signal.ITIMER_REAL)[1]
    signal.setitimer(signal.ITIMER_REAL, 0)
    guest.tell(interval=round(still, 3), ticked=bool(ticks))


@member
def profiling_timer(guest: Guest) -> None:
    """A sampling profiler of the user's own uses ITIMER_PROF and SIGPROF."""
    samples: list[int] = []
    signal.signal(signal.SIGPROF, lambda *args: samples.append(1))
    signal.setitimer(signal.ITIMER_PROF, 0.005, 0.005)
    guest.fit()
    guest.tell(interval=round(signal.getitimer(signal.ITIMER_PROF)[1], 3), sampled=bool(samples))
    signal.setitimer(signal.ITIMER_PROF, 0)


@member
def child_signals(guest: Guest) -> None:
    """Children are reaped by the system: SIGCHLD is ignored."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    guest.fit()
    guest.tell(kept=signal.getsignal(signal.SIGCHLD))


@member
def child_watched(guest: Guest) -> None:
    """The program takes the end of any child for that of its helper, and ends."""
    helper = os.posix_spawn("/bin/sleep", ["sleep", "60"], os.environ)

    def ended(*_: object) -> None:
        sys.exit("the helper has ended")

    signal.signal(signal.SIGCHLD, ended)
    try:
        guest.fit()
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.kill(helper, signal.SIGKILL)
        os.waitpid(helper, 0)


@member
def any_child_waited_for(guest: Guest) -> None:
    """A thread waits for any child of the process, and takes the first for its helper."""
    helper = os.posix_spawn("/bin/sleep", ["sleep", "60"], os.environ)
    ended: list[int] = []
    thread = threading.Thread(target=lambda: ended.append(os.wait()[0]))
    thread.start()
    guest.fit()
    os.kill(helper, signal.SIGKILL)
    thread.join()
    guest.tell(is_helper=ended == [helper])


@member
def calls_counted(guest: Guest) -> None:
    """Mocks of clocks, of sleeping and of starting processes count their calls."""
    with (
        mock.patch("time.monotonic", wraps=time.monotonic) as monotonic,
        mock.patch("time.process_time_ns", wraps=time.process_time_ns) as process_time_ns,
        mock.patch("time.sleep") as sleep,
        mock.patch("subprocess.Popen") as popen,
    ):
        guest.fit()
    guest.tell(
        monotonic=monotonic.call_count,
        process_time_ns=process_time_ns.call_count,
        sleeps=sleep.call_count,
        processes=popen.call_count,
    )


@member
def thread_without_a_pause(guest: Guest) -> None:
    """A thread of the user's runs Python without a pause, from the start to the end."""
    is_over = threading.Event()

    def run() -> None:
        while not is_over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        guest.fit()
    finally:
        is_over.set()
        thread.join()
    guest.tell(interval_s=sys.getswitchinterval())


@member
def blocked_signals(guest: Guest) -> None:
    """The process blocks signals, and its mask is the same afterwards."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
    guest.fit()
    guest.tell(mask=sorted(signal.pthread_sigmask(signal.SIG_BLOCK, set())))


@member
def terminated(guest: Guest) -> None:
    """SIGTERM in the second epoch, without a handler of the user's."""

    class Kills(Callback):
        def on_train_epoch_start(self, trainer: Any, *args: Any) -> None:
            if trainer.current_epoch == 1:
                os.kill(os.getpid(), signal.SIGTERM)

    guest.fit(None, None, None, Kills())


@member
def clocks_stand_still(guest: Guest) -> None:
    """All of Python's clocks stand still from the start of the training."""

    def act() -> None:
        now, now_ns = time.monotonic(), time.perf_counter_ns()
        time.monotonic = lambda: now
        time.time = lambda: 0.0
        time.perf_counter = lambda: 5.0
        time.perf_counter_ns = lambda: now_ns

    kept = time.monotonic, time.time, time.perf_counter, time.perf_counter_ns
    guest.fit(None, loader(num_workers=1), loader(), AtStart(act))
    time.monotonic, time.time, time.perf_counter, time.perf_counter_ns = kept


def _no_sleep(seconds: float) -> None: ...


@member
def clocks_run_back(guest: Guest) -> None:
    """time.time runs backwards, and sleeping takes no time."""
    now = [2e9]

    def back() -> float:
        now[0] -= 100
        return now[0]

    with mock.patch("time.time", back), mock.patch("time.sleep", _no_sleep):
        guest.fit()


@member
def traced_by_python(guest: Guest) -> None:
    """sys.settrace, sys.setprofile and threading.settrace are in use, and stay."""

    def trace(*args: Any) -> None: ...

    def profile(*args: Any) -> None: ...

    def act() -> None:
        sys.settrace(trace)
        sys.setprofile(profile)
        threading.settrace(trace)

    guest.fit(None, None, None, AtStart(act))
    guest.tell(trace=sys.gettrace() is trace, profile=sys.getprofile() is profile)
    sys.settrace(None)
    sys.setprofile(None)
    threading.settrace(None)


@member
def frames_looked_into(guest: Guest) -> None:
    """A profile function reads the variables of every frame while the training runs."""
    seen: set[str] = set()

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        seen.update(frame.f_locals)

    class WhileItTrains(Callback):
        def on_train_start(self, *args: Any) -> None:
            sys.setprofile(profile)

        def on_train_end(self, *args: Any) -> None:
            sys.setprofile(None)

    logger = CSVLogger(guest.folder / "log")
    guest.fit(None, None, loader(), WhileItTrains(), logger=logger, log_every_n_steps=1)
    guest.tell(names={"self", "trainer", "batch"} <= seen)


@member
def faults_handled(guest: Guest) -> None:
    """Faulthandler watches the fit, and dumps the stacks of all threads in a hook."""
    path = guest.folder / "stacks.txt"
    with path.open("w") as file:
        faulthandler.enable(file)
        faulthandler.dump_traceback_later(LONG_S, exit=True, file=file)
        guest.fit(None, None, None, AtStart(lambda: faulthandler.dump_traceback(file)))
        faulthandler.cancel_dump_traceback_later()
        guest.tell(enabled=faulthandler.is_enabled(), dumped="on_train_start" in path.read_text())
        faulthandler.disable()


@member
def warnings_are_errors(guest: Guest) -> None:
    """Every warning is an error, once the training is under way."""
    with warnings.catch_warnings():
        guest.fit(None, None, None, AtStart(lambda: warnings.simplefilter("error")))


@member
def logging_raises(guest: Guest) -> None:
    """A handler of the root logger raises for every record."""

    class Raises(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("no logging here")

    handler = Raises(level=logging.WARNING)
    logging.getLogger().addHandler(handler)
    out = guest.folder / "file"
    out.write_text("mine")
    guest.fit(output_dir=out)  # which makes us warn
    logging.getLogger().removeHandler(handler)


@member
def logging_recurses(guest: Guest) -> None:
    """A handler of the root logger exits the process for records of ours: it is asked for none."""

    class Counts(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            levels.append(record.name.split(".")[0])

    levels: list[str] = []
    handler = Counts(level=logging.WARNING)
    logging.getLogger().addHandler(handler)
    guest.fit()
    logging.getLogger().removeHandler(handler)
    guest.tell(levels=[level for level in levels if level not in {"lightning", "torch"}])


@member
def numbers_fail(guest: Guest) -> None:
    """NumPy raises at every division by zero, and decimals have three digits."""
    np.seterr(all="raise")
    decimal.getcontext().prec = 3
    guest.fit(validation=loader())
    guest.tell(kept=np.geterr(), digits=decimal.getcontext().prec)


@member
def torch_defaults(guest: Guest) -> None:
    """Doubles by default, deterministic algorithms, anomalies detected."""
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    with torch.autograd.set_detect_anomaly(True, check_nan=True):
        guest.fit(Net().float())
    guest.tell(kind=torch.get_default_dtype())


@member
def meta_by_default(guest: Guest) -> None:
    """Tensors are made on the meta device by default once the training goes."""
    module = Net()
    guest.fit(module, None, None, AtStart(lambda: torch.set_default_device("meta")))
    torch.set_default_device(None)


@member
def inference_around(guest: Guest) -> None:
    """A validation inside torch.inference_mode, with gradients off."""
    trainer = guest.trainer()
    with torch.inference_mode():
        trainer.validate(guest.kept(Net()), loader(), verbose=False)


@member
def function_mode(guest: Guest) -> None:
    """A torch function mode counts the functions that the training calls."""
    from torch.overrides import TorchFunctionMode

    class Counts(TorchFunctionMode):
        count = 0

        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            type(self).count += getattr(function, "__name__", "") in {"linear", "rand", "pow"}
            return function(*args, **(kwargs or {}))

    with Counts():
        guest.fit()
    guest.tell(count=Counts.count)


@member
def seeds_in_the_run(guest: Guest) -> None:
    """A hook seeds all random numbers anew."""

    def act() -> None:
        random.seed(4)
        np.random.seed(4)
        torch.manual_seed(4)

    guest.fit(None, loader(shuffle=True), None, AtStart(act))


@member
def recursion_limited(guest: Guest) -> None:
    """The recursion limit is just what the training needs."""
    guest.fit(max_epochs=1, ours=[])
    before = sys.getrecursionlimit()
    guest.fit(None, None, None, AtStart(lambda: sys.setrecursionlimit(130)))
    sys.setrecursionlimit(before)


@member
def fast_switching(guest: Guest) -> None:
    """Threads are switched every microsecond."""
    sys.setswitchinterval(1e-6)
    guest.fit(None, loader(num_workers=1))
    guest.tell(interval=sys.getswitchinterval())


@member
def odd_modules(guest: Guest) -> None:
    """sys.modules holds None, a number, and an object that answers every name."""

    class Anything(types.ModuleType):
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    sys.modules["odd_none"] = None  # type: ignore[assignment]  # as Python itself allows
    sys.modules["odd_number"] = 5  # type: ignore[assignment]  # what is tried
    sys.modules["odd_anything"] = Anything("odd_anything")
    guest.fit(operations=["torch.nn.functional.relu"])


@member
def functions_replaced(guest: Guest) -> None:
    """json.dumps, open and os.replace raise from the start of the training."""

    def raises(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("not here")

    kept = json.dumps, os.replace, builtins.open

    def act() -> None:
        json.dumps, os.replace = raises, raises

    guest.fit(None, None, None, AtStart(act))
    json.dumps, os.replace, builtins.open = kept


@member
def exception_hooks(guest: Guest) -> None:
    """The hooks for exceptions that nobody catches are the user's, and see none of ours."""
    seen: list[str] = []
    threading.excepthook = lambda arguments: seen.append(str(arguments.exc_type))
    sys.unraisablehook = lambda unraisable: seen.append(str(unraisable.exc_type))
    guest.fit(None, loader(num_workers=1))
    guest.tell(seen=seen)


@member
def other_language(guest: Guest) -> None:
    """The numbers of the process are written with a comma, where that locale is installed."""
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_ALL, name)
            break
        except locale.Error:
            continue
    guest.fit()
    guest.tell(kept=locale.setlocale(locale.LC_ALL))


@member
def no_threads_left(guest: Guest) -> None:
    """No thread can be started once the training goes."""

    def raises(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("can't start new thread")

    with mock.patch.object(threading.Thread, "start", raises):
        guest.fit()


@member
def environment_emptied(guest: Guest) -> None:
    """The environment is emptied at the start of the training."""
    guest.fit(None, None, None, AtStart(os.environ.clear))


@member
def signal_in_a_collection(guest: Guest) -> None:
    """A handler raises while Python collects garbage for longer than the signal takes."""
    held = [[number] for number in range(500_000)]

    class Interrupts(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 2:
                signal.setitimer(signal.ITIMER_REAL, 0.002)
                gc.collect()
            return super().training_step(batch, batch_idx)

    def ended(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, ended)
    guest.true("run.status", "failed")
    try:
        guest.fit(Interrupts(), max_epochs=1)
    finally:
        guest.tell(held=len(held))
