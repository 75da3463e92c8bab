"""Names of operations: some are refused before the run, the others change nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
import time
import types
from typing import TYPE_CHECKING

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import Net

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.guest_members.session import Guest

member = Members()


def _refused(guest: Guest, name: str) -> None:
    guest.is_refused = True
    guest.fit(operations=[name])


def _module(guest: Guest, text: str) -> None:
    (guest.folder / "script_of_mine.py").write_text(text)
    sys.path.insert(0, str(guest.folder))


@member
def exits(guest: Guest) -> None:
    """A module that exits with 0 when it is imported."""
    _module(guest, "import sys\ndef f(): pass\nsys.exit(0)\n")
    _refused(guest, "script_of_mine.f")


@member
def exits_hard(guest: Guest) -> None:
    """A module that ends the process by os._exit when it is imported."""
    _module(guest, "import os\ndef f(): pass\nos._exit(0)\n")
    _refused(guest, "script_of_mine.f")


@member
def kills_itself(guest: Guest) -> None:
    """A module that kills its process when it is imported."""
    _module(guest, "import os\ndef f(): pass\nos.kill(os.getpid(), 9)\n")
    _refused(guest, "script_of_mine.f")


@member
def raises(guest: Guest) -> None:
    """A module that raises when it is imported."""
    _module(guest, "def f(): pass\n1 / 0\n")
    _refused(guest, "script_of_mine.f")


@member
def writes(guest: Guest) -> None:
    """A module that writes into the working folder when it is imported."""
    _module(guest, "def f(): pass\nopen('made.txt', 'w').write('x')\n")
    _refused(guest, "script_of_mine.f")


@member
def draws(guest: Guest) -> None:
    """A module that seeds the random numbers when it is imported is timed, and nothing changes."""
    _module(guest, "import random, torch\nrandom.seed(5); torch.manual_seed(5)\ndef f(): pass\n")
    guest.fit(operations=["script_of_mine.f"])


@member
def unknown_module(guest: Guest) -> None:
    """A module that isn't there."""
    _refused(guest, "no_such_module.f")


@member
def unknown_function(guest: Guest) -> None:
    """A function that isn't there."""
    _refused(guest, "torch.nn.functional.rellu")


@member
def empty(guest: Guest) -> None:
    """An empty name."""
    _refused(guest, "")


@member
def only_dots(guest: Guest) -> None:
    """A name of dots."""
    _refused(guest, "..")


@member
def a_class(guest: Guest) -> None:
    """A class instead of its method."""
    _refused(guest, "torch.nn.Linear")


@member
def a_value(guest: Guest) -> None:
    """A number instead of a function."""
    _refused(guest, "math.pi")


@member
def builtin_length(guest: Guest) -> None:
    """Python's own `len`."""
    _refused(guest, "builtins.len")


@member
def own_part(guest: Guest) -> None:
    """A part of the measuring itself."""
    _refused(guest, "ocr_baseline.measure.timeline.Timeline.push")


class Calls(Net):
    """Calls in each step what the members below name."""

    def on_train_batch_start(self, *args: object) -> None:
        """Call all of it."""
        json.loads(json.dumps({"a": [1]}))
        threading.get_ident()
        time.perf_counter_ns()
        time.monotonic()
        os.getpid()
        with threading.Lock():
            pass


def _as_without(guest: Guest, names: Sequence[str]) -> None:
    guest.fit(Calls(), operations=names)


@member
def thread_identity(guest: Guest) -> None:
    """threading.get_ident, which the measuring asks at every call."""
    try:
        _as_without(guest, ["threading.get_ident"])
    except Exception as error:
        guest.is_refused = type(error).__name__ == "OperationError"
        raise


@member
def clocks(guest: Guest) -> None:
    """The clocks that the measuring reads."""
    try:
        _as_without(guest, ["time.perf_counter_ns", "time.monotonic"])
    except Exception as error:
        guest.is_refused = type(error).__name__ == "OperationError"
        raise


@member
def json_functions(guest: Guest) -> None:
    """json.dumps and json.loads, with which the records are written."""
    _as_without(guest, ["json.dumps", "json.loads"])


@member
def system_calls(guest: Guest) -> None:
    """os.getpid, os.write, os.replace, which the records use."""
    _as_without(guest, ["os.getpid", "os.write", "os.replace"])


@member
def file_methods(guest: Guest) -> None:
    """pathlib.Path.open and io functions, which the records use."""
    _as_without(guest, ["pathlib.Path.open", "pathlib.Path.is_file", "pathlib.Path.mkdir"])


@member
def thread_methods(guest: Guest) -> None:
    """Methods of threads, which the heartbeat uses."""
    _as_without(guest, ["threading.Thread.start", "threading.Event.wait", "threading.Thread.join"])


@member
def logging_methods(guest: Guest) -> None:
    """Methods of Python's logging, with which we warn."""
    _as_without(guest, ["logging.Logger.warning", "logging.Logger.info", "logging.Handler.handle"])


@member
def loader_methods(guest: Guest) -> None:
    """DataLoader.__iter__ and the trainer's own methods, which are timed anyway."""
    names = [
        "torch.utils.data.DataLoader.__iter__",
        "lightning.pytorch.LightningModule.log",
        "lightning.pytorch.Trainer.fit",
        "lightning.pytorch.profilers.PassThroughProfiler.start",
    ]
    _as_without(guest, names)


@member
def a_name_twice(guest: Guest) -> None:
    """One function by two names, and one name twice."""
    relu = "torch.nn.functional.relu"
    _as_without(guest, [relu, relu, "torch.nn.modules.activation.F.relu"])


@member
def functools_methods(guest: Guest) -> None:
    """functools.wraps, contextlib and inspect functions."""
    _as_without(guest, ["functools.wraps", "contextlib.suppress.__enter__", "inspect.signature"])


@member
def lazy_modules(guest: Guest) -> None:
    """A function of C, beside modules that load themselves, or refuse, when they are asked."""
    text = "from pathlib import Path\nPath('loaded.txt').touch()\nraise ImportError('no backend')\n"
    (guest.folder / "lazy_backend.py").write_text(text)
    sys.path.insert(0, str(guest.folder))
    spec = importlib.util.find_spec("lazy_backend")
    if spec is None or spec.loader is None:
        raise RuntimeError("the module isn't found")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = sys.modules["lazy_backend"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)

    class Refuses(types.ModuleType):
        def __getattribute__(self, name: str) -> object:
            raise KeyError(name)

    sys.modules["refuses"] = Refuses("refuses")
    _as_without(guest, ["math.sqrt", "numpy.dot"])
    del sys.modules["refuses"]
    guest.tell(loaded=(guest.folder / "loaded.txt").exists())
