from __future__ import annotations

import copy
import functools
import importlib
import importlib.util
import inspect
import io
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import cv2
import numpy as np
import pyclipper
import pytest

from ocr_baseline.errors import OperationError
from ocr_baseline.measure import import_trial
from ocr_baseline.measure.instrument import Instrumentation
from ocr_baseline.measure.operation_names import resolve
from ocr_baseline.measure.operations import Operations
from ocr_baseline.measure.sections import listen, section
from ocr_baseline.measure.timeline import Timeline
from ocr_baseline.vocabulary import Stage

SQUARE = ((0, 0), (10, 0), (10, 10), (0, 10))

DEFINING = '''
import functools

def plain(number):
    """Documented."""
    return number + 1

@functools.lru_cache
def cached(number):
    return number + 1

def fails():
    raise LookupError("ours")

class Thing:
    base = 10
    def method(self, number): return self.base + number
    @classmethod
    def of_class(cls, number): return cls.base + number
    @staticmethod
    def static(number): return number
    def __call__(self, number): return number

class Heir(Thing):
    base = 20

instance = Thing()
constant = 5

async def later(): ...

def deep(depth):
    return 0 if depth == 0 else 1 + deep(depth - 1)

class Counter:
    """A callable that counts its calls."""
    def __init__(self): self.calls = 0
    def __call__(self, number):
        self.calls += 1
        return number + self.calls

counter, other_counter = Counter(), Counter()

def count(end):
    yield from range(end)

def _closed(first, second):
    def closed(ask, *rest, by):
        return ask() + [first, second, by]

    def closed_steps(ask):
        yield ask() + [first]

    return closed, closed_steps

closed, closed_steps = _closed("first", "second")
'''
IMPORTING = """
from defining_module import plain, cached as remembered, Thing

def call(number):
    return plain(number)
"""


class Timed:
    """Instrumentation whose operations are counted."""

    def __init__(self) -> None:
        self.instrumentation = Instrumentation()
        self.operations = Operations(Timeline("other", Stage.TRAIN))
        listen(self.operations)

    def time(self, *names: str) -> None:
        self.instrumentation.time(*((resolve(name), section(name)) for name in names))

    def calls(self, name: str) -> int:
        operation = self.operations.get(name)
        if operation is None or Stage.TRAIN not in operation.tallies:
            return 0
        return operation.tallies[Stage.TRAIN].calls

    def undo(self) -> None:
        self.instrumentation.undo()


class RefusesAll:
    """What some libraries put in the place of a module."""

    def __getattribute__(self, name: str) -> Any:
        raise KeyError(name)


@pytest.fixture
def timed() -> Iterator[Timed]:
    timed = Timed()
    yield timed
    timed.undo()
    listen(None)


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A module that defines callables, and one that imported them by name."""
    (tmp_path / "defining_module.py").write_text(DEFINING)
    (tmp_path / "importing_module.py").write_text(IMPORTING)
    monkeypatch.syspath_prepend(tmp_path)
    yield (
        importlib.import_module("defining_module"),
        importlib.import_module("importing_module"),
    )
    for name in ("defining_module", "importing_module", "late_module"):
        sys.modules.pop(name, None)


def snapshot(module: ModuleType) -> dict[str, object]:
    found = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    for name, value in list(found.items()):
        if isinstance(value, type):
            found |= {f"{name}.{key}": member for key, member in vars(value).items()}
    return found


def test_a_function_is_timed_under_every_name_that_it_was_imported_by(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    defining, importing = modules
    before = snapshot(defining), snapshot(importing)

    timed.time("defining_module.plain")
    assert [defining.plain(1), importing.plain(1), importing.call(1)] == [2, 2, 2]
    assert timed.calls("defining_module.plain") == 3
    timed.undo()

    assert (snapshot(defining), snapshot(importing)) == before
    importing.call(1)
    assert timed.calls("defining_module.plain") == 3


def test_a_timed_function_keeps_its_name_and_documentation(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    timed.time("defining_module.plain")

    assert modules[0].plain.__doc__ == "Documented."
    assert modules[0].plain.__qualname__ == "plain"


def test_methods_of_every_kind_are_timed_and_put_back(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    defining = modules[0]
    before = snapshot(defining)
    names = [
        f"defining_module.Thing.{name}" for name in ("method", "of_class", "static", "__call__")
    ]

    timed.time(*names)
    thing, heir = defining.Thing(), defining.Heir()

    assert (thing.method(1), heir.method(1)) == (11, 21)
    assert (defining.Thing.of_class(1), heir.of_class(1)) == (11, 21)
    assert (defining.Thing.static(1), heir.static(1)) == (1, 1)
    assert thing(1) == 1
    assert [timed.calls(name) for name in names] == [2, 2, 2, 1]
    timed.undo()
    assert snapshot(defining) == before


def test_an_inherited_method_is_timed_for_the_heir_only_and_taken_off_again(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    defining = modules[0]

    timed.time("defining_module.Heir.method")
    defining.Heir().method(1)
    defining.Thing().method(1)

    assert timed.calls("defining_module.Heir.method") == 1
    timed.undo()
    assert "method" not in vars(defining.Heir)


def test_an_exception_of_a_timed_callable_is_the_users_own(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    timed.time("defining_module.fails")

    with pytest.raises(LookupError, match="ours"):
        modules[0].fails()
    assert timed.calls("defining_module.fails") == 1


def test_callable_objects_keep_what_they_have_beside_the_call(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    timed.time("defining_module.cached", "numpy.add")

    modules[1].remembered(1)
    modules[0].cached.cache_clear()
    assert modules[0].cached.cache_info().currsize == 0
    assert np.add(1, 2) == 3
    assert np.add.reduce([1, 2, 3]) == 6
    assert (timed.calls("defining_module.cached"), timed.calls("numpy.add")) == (1, 1)
    timed.undo()
    assert isinstance(np.add, np.ufunc)


def test_a_generator_function_is_timed_at_each_of_its_steps(
    modules: tuple[ModuleType, ModuleType], timed: Timed
) -> None:
    timed.time("defining_module.count")

    numbers = modules[0].count(3)

    assert timed.calls("defining_module.count") == 0
    assert list(numbers) == [0, 1, 2]
    assert timed.calls("defining_module.count") == 4


@pytest.mark.parametrize(
    "mocked", [mock.create_autospec, lambda function: mock.MagicMock(spec=function)]
)
def test_a_mock_in_a_functions_place_is_timed_and_counts_its_own_calls_alone(
    mocked: Callable[[Any], Any],
    timed: Timed,
    modules: tuple[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in = mocked(modules[0].plain)
    monkeypatch.setattr(modules[0], "plain", stand_in)

    timed.time("defining_module.plain")
    modules[0].plain(1)
    timed.undo()

    assert timed.calls("defining_module.plain") == 1
    assert stand_in.mock_calls == [mock.call(1)]
    assert modules[0].plain is stand_in


@pytest.mark.usefixtures("modules")
def test_an_asynchronous_function_can_not_be_an_operation() -> None:
    with pytest.raises(OperationError, match=r"later' is asynchronous.*take it out"):
        resolve("defining_module.later")


def test_functions_of_a_c_extension_are_timed(timed: Timed) -> None:
    original = cv2.findContours

    timed.time("cv2.findContours")
    contours, _ = cv2.findContours(
        np.pad(np.ones((4, 4), np.uint8), 2), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE
    )

    assert len(contours) == 1
    assert timed.calls("cv2.findContours") == 1
    timed.undo()
    assert cv2.findContours is original


def test_methods_of_a_c_extension_class_are_timed_and_instances_stay_instances(
    timed: Timed,
) -> None:
    original = pyclipper.PyclipperOffset
    made_before = original()

    timed.time("pyclipper.PyclipperOffset.Execute", "pyclipper.PyclipperOffset.AddPath")
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(SQUARE, pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)

    assert offset.Execute(2.0)
    assert timed.calls("pyclipper.PyclipperOffset.Execute") == 1
    assert timed.calls("pyclipper.PyclipperOffset.AddPath") == 1
    assert isinstance(offset, original)
    assert isinstance(made_before, pyclipper.PyclipperOffset)
    assert issubclass(original, pyclipper.PyclipperOffset)
    assert not isinstance(5, pyclipper.PyclipperOffset)
    timed.undo()
    assert pyclipper.PyclipperOffset is original
    offset.Execute(2.0)


def test_a_subclass_of_a_stand_in_is_a_class_of_its_own(timed: Timed) -> None:
    timed.time("pyclipper.PyclipperOffset.Execute")

    class Own(pyclipper.PyclipperOffset):  # type: ignore[misc]  # pyclipper has no types
        pass

    assert isinstance(Own(), Own)
    assert not isinstance(pyclipper.PyclipperOffset(), Own)
    assert issubclass(Own, pyclipper.PyclipperOffset)


def test_a_module_loaded_while_the_run_goes_on_gets_the_original_back(
    timed: Timed, modules: tuple[Any, Any], tmp_path: Path
) -> None:
    defining = modules[0]
    original = defining.plain
    timed.time("defining_module.plain")
    (tmp_path / "late_module.py").write_text("from defining_module import plain as late\n")
    importlib.invalidate_caches()
    late = importlib.import_module("late_module")

    late.late(1)
    timed.undo()

    assert timed.calls("defining_module.plain") == 1
    assert late.late is original


def test_modules_that_load_themselves_when_they_are_asked_are_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timed: Timed
) -> None:
    (tmp_path / "lazy_backend.py").write_text("raise ImportError('no such backend')")
    monkeypatch.syspath_prepend(tmp_path)
    spec = importlib.util.find_spec("lazy_backend")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "lazy_backend", lazy)
    spec.loader.exec_module(lazy)
    monkeypatch.setitem(sys.modules, "odd", RefusesAll())

    timed.time("cv2.countNonZero")
    cv2.countNonZero(np.ones((2, 2), np.uint8))

    assert timed.calls("cv2.countNonZero") == 1
    with pytest.raises(ImportError, match="no such backend"):
        _ = lazy.anything


def test_undoing_goes_on_where_somebody_took_a_name_away(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    defining = modules[0]
    code = defining.plain.__code__
    original = defining.cached
    timed.time("defining_module.plain", "defining_module.cached")
    del modules[1].remembered

    timed.undo()

    assert defining.plain.__code__ is code
    assert defining.cached is original


def test_timing_one_callable_under_two_names_counts_each_once(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    timed.time("defining_module.plain", "importing_module.plain")

    modules[1].call(1)

    assert timed.calls("defining_module.plain") == 1
    timed.undo()
    assert modules[0].plain.__module__ == "defining_module"
    assert not hasattr(modules[0].plain, "__wrapped__")


def test_a_timed_function_that_an_object_holds_can_be_sent_to_a_new_process(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    held, held_contours = modules[0].plain, cv2.findContours
    timed.time("defining_module.plain", "cv2.findContours")
    values = [held, held_contours, modules[0].plain, cv2.findContours, {"other": len}]

    stream = io.BytesIO()
    ForkingPickler(stream).dump(values)
    written = [stream.getvalue(), pickle.dumps(values), pickle.dumps(values, 2)]
    timed.undo()

    for text in written:
        assert pickle.loads(text) == [  # noqa: S301 - pickled above
            *(held, held_contours, held, held_contours),
            {"other": len},
        ]
        assert b"ocr_baseline" not in text


WRONG_NAMES = {
    "nowhere.at.all": "there is no module 'nowhere'",
    "nothing": "there is no module",
    "": "there is no module",
    "cv2.findContour": "has no attribute 'findContour'",
    "cv2.nothing.at_all": "has no attribute 'nothing'",
    "pyclipper.PyclipperOffset.execute": "has no attribute 'execute'",
    "pyclipper.PyclipperOffset": "is a class",
    "defining_module.constant": "is not a function",
    "defining_module.Thing.base": "is not a function",
    "builtins.str.split": "can't be changed",
    "builtins.len": "Python's own len is called everywhere",
    "io.open": "Python's own open is called everywhere",
    "ocr_baseline.measure.operation_names.resolve": "is a part of the measuring",
    "os.path": "is not a function",
}


@pytest.mark.parametrize("name", WRONG_NAMES)
def test_a_wrong_name_is_an_error_that_repeats_it_and_says_what_is_wrong(
    name: str, timed: Timed, modules: tuple[Any, Any]
) -> None:
    assert modules

    with pytest.raises(OperationError) as raised:
        timed.time(name)

    assert repr(name) in str(raised.value)
    assert WRONG_NAMES[name] in str(raised.value)


def test_a_module_that_fails_to_import_says_why(
    timed: Timed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needy_module.py").write_text("import a_module_that_is_not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(OperationError, match="a_module_that_is_not_installed"):
        timed.time("needy_module.function")


@pytest.mark.parametrize("source", ["raise RuntimeError('at import')", "def broken(:"])
def test_a_module_that_raises_at_import_says_why(
    source: str, timed: Timed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raising_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(OperationError, match="raising_module"):
        timed.time("raising_module.function")


def test_timing_subprocess_run_leaves_subprocesses_working(timed: Timed) -> None:
    timed.time("subprocess.run")

    done = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True)

    assert done.stdout == b"1\n"
    assert timed.calls("subprocess.run") == 1


def held_by_others(defining: Any) -> Any:
    """A function where code may hold one: by itself, in a method, in a partial, in a container."""
    return [defining.plain, functools.partial(defining.plain, 1), defining.Thing().method]


def test_a_timed_function_is_the_same_object_with_the_same_face(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    plain = modules[0].plain
    plain.note = "read"
    code, face = plain.__code__, (inspect.signature(plain), inspect.getsource(plain), hash(plain))
    held = held_by_others(modules[0])

    timed.time("defining_module.plain", "defining_module.Thing.method")
    plain.note += " and written"
    assert modules[0].plain is plain
    assert (inspect.signature(plain), inspect.getsource(plain), hash(plain)) == face
    assert copy.deepcopy(plain) is plain
    assert pickle.loads(pickle.dumps(plain)) is plain  # noqa: S301 - pickled here
    assert [held[0](1), held[1](), held[2](1)] == [2, 2, 11]
    assert timed.calls("defining_module.plain") == 2
    assert timed.calls("defining_module.Thing.method") == 1
    timed.undo()

    assert plain.__code__ is code
    assert vars(plain) == {"note": "read and written"}


def test_what_looks_into_the_frames_of_a_timed_closure_finds_its_variables(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    """A debugger does, a profiler, and who tells an exception with the locals."""
    timed.time("defining_module.closed", "defining_module.closed_steps")
    seen: list[tuple[str, dict[str, Any]]] = []

    def ask() -> list[str]:
        for place in inspect.stack():
            if place.filename == modules[0].__file__:
                seen.append((place.function, dict(place.frame.f_locals)))
        return []

    variables = {"first": "first", "second": "second"}
    assert modules[0].closed(ask, 1, by=2) == ["first", "second", 2]
    assert seen == [("closed", {"ask": ask, "rest": (1,), "by": 2} | variables)] * 2
    seen.clear()
    (steps,) = modules[0].closed_steps(ask)
    assert steps == ["first"]
    assert ("closed_steps", {"ask": ask, "first": "first"}) in seen
    with pytest.raises(ZeroDivisionError) as raised:
        modules[0].closed(lambda: 1 / 0, by=2)
    locals_of = [variables.items() <= entry.frame.f_locals.items() for entry in raised.traceback]
    assert locals_of.count(True) == 2


def test_a_timed_recursion_goes_as_deep_as_before(timed: Timed, modules: tuple[Any, Any]) -> None:
    limit = sys.getrecursionlimit()
    timed.time("defining_module.deep")
    depth = (limit - len(inspect.stack())) * 9 // 10

    assert modules[0].deep(depth) == depth
    assert timed.calls("defining_module.deep") == depth + 1
    assert sys.getrecursionlimit() == limit
    with pytest.raises(RecursionError):
        modules[0].deep(10 * limit)
    assert modules[0].deep(3) == 3
    assert sys.getrecursionlimit() == limit


def test_a_callable_object_keeps_its_state_and_is_timed_alone(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    counter = modules[0].counter

    timed.time("defining_module.counter")
    modules[0].counter.calls = 10
    assert counter(1) == 12
    assert modules[0].other_counter(1) == 2
    assert type(modules[0].counter) is modules[0].Counter
    assert modules[0].counter is counter
    timed.undo()

    assert timed.calls("defining_module.counter") == 1
    assert counter.calls == 11


def test_what_stands_in_for_a_c_function_passes_for_it(timed: Timed) -> None:
    contours, add = cv2.findContours, np.add

    timed.time("cv2.findContours", "numpy.add")

    assert isinstance(np.add, np.ufunc)
    assert np.add == add
    assert {add: 1}[np.add] == 1
    assert copy.copy(np.add) == add
    assert cv2.findContours.__doc__ == contours.__doc__
    assert repr(cv2.findContours) == repr(contours)
    assert pickle.loads(pickle.dumps(np.add)) == add  # noqa: S301 - pickled here
    assert pickle.loads(pickle.dumps(add)) == add  # noqa: S301 - pickled here


def test_runs_that_time_the_same_callables_let_go_in_any_order(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    code, contours = modules[0].plain.__code__, cv2.findContours
    names = ("defining_module.plain", "cv2.findContours")
    other = Instrumentation()

    timed.time(*names)
    other.time(*((resolve(name), section(name)) for name in names))
    timed.undo()
    modules[0].plain(1)
    assert timed.calls("defining_module.plain") == 1
    assert cv2.findContours is not contours
    other.undo()

    assert modules[0].plain.__code__ is code
    assert cv2.findContours is contours


def test_what_others_put_in_place_meanwhile_stays(
    timed: Timed, modules: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    timed.time("defining_module.plain", "defining_module.cached")
    wrapped_plain, wrapped_cached = modules[0].plain, modules[0].cached
    monkeypatch.setattr(modules[0], "plain", lambda number: wrapped_plain(number) * 10)
    monkeypatch.setattr(modules[0], "cached", lambda number: wrapped_cached(number) * 10)

    timed.undo()

    assert (modules[0].plain(1), modules[0].cached(1)) == (20, 20)
    assert timed.calls("defining_module.plain") == 0


def test_an_inherited_class_method_counts_the_calls_of_its_heir_alone(
    timed: Timed, modules: tuple[Any, Any]
) -> None:
    timed.time("defining_module.Heir.of_class")

    assert modules[0].Heir.of_class(1) == 21
    assert modules[0].Thing.of_class(1) == 11
    assert timed.calls("defining_module.Heir.of_class") == 1


@pytest.mark.parametrize("name", ["threading.get_ident", "time.perf_counter_ns"])
def test_what_the_measuring_itself_calls_can_be_timed(name: str, timed: Timed) -> None:
    module_name, _, attribute = name.rpartition(".")

    timed.time(name)
    for _ in range(3):
        getattr(sys.modules[module_name], attribute)()

    assert timed.calls(name) == 3


HARMFUL = {
    "exits": ("import sys; sys.exit(0)", r"ends the process \(exit code 0\)"),
    "vanishes": ("import os; os._exit(3)", r"ends the process \(exit code 3\)"),
    "hangs": ("import time; time.sleep(600)", "not over after 0.5 seconds"),
    "writes": ("open('left', 'w').write('here')", "writes to the working folder"),
    "moves": ("import os; os.chdir('/')", "changes the working folder"),
    "signals": (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "changes the signal handlers",
    ),
}


@pytest.mark.parametrize("harm", HARMFUL)
@pytest.mark.slow
def test_a_module_that_does_harm_as_it_is_imported_is_refused_and_not_imported(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, cause = HARMFUL[harm]
    (tmp_path / f"{harm}_module.py").write_text(f"{source}\ndef function(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    if harm == "hangs":
        monkeypatch.setattr(import_trial, "TIME_LIMIT_S", 0.5)

    with pytest.raises(OperationError, match=rf"{harm}_module.function'.*{cause}"):
        resolve(f"{harm}_module.function")

    assert f"{harm}_module" not in sys.modules
    assert Path.cwd() == tmp_path
