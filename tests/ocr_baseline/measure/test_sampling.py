"""Call stacks of the main thread, sampled on a real timer in processes of their own.

Each script below runs in a fresh interpreter: signals, the recursion limit and the main thread
belong to a whole process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the timer is Linux's"),
]

PRELUDE = """
import json, signal, sys, threading, time
from pathlib import Path
from ocr_baseline.measure.sampling import StackSampler
from ocr_baseline.measure.stack_records import StackRecords
from ocr_baseline.measure.timeline import Span, Timeline
from ocr_baseline.vocabulary import Stage

timeline = Timeline("other", Stage.TRAIN)
sampler = StackSampler(timeline, 200)

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

def wait_for_ticks(count, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end and total() < count:
        pass

def total():
    return sum(sum(list(stacks.ticks.values())) for stacks in list(sampler._stages.values()))

def tell(**values):
    records = list(StackRecords(sampler, timeline).due(at_once=True))
    functions = [name for r in records if r["type"] == "stack_functions" for name in r["name"]]
    ticks = {}
    for record in records:
        if record["type"] == "stack_samples":
            for line, stack, count in zip(record["line"], record["stack"], record["ticks"]):
                for number in set(stack):
                    key = f"{line}:{functions[number]}"
                    ticks[key] = ticks.get(key, 0) + count
    print(json.dumps({"ticks": ticks, "why_not": sampler.why_not, **values}))
"""

READ = """
import ctypes, os
library = ctypes.CDLL(None, use_errno=True)

def read():
    taking, giving = os.pipe()
    threading.Timer(0.1, os.write, (giving, b"data")).start()
    found = library.read(taking, ctypes.create_string_buffer(8), 8)
    return found if found >= 0 else -ctypes.get_errno()
"""
"""A C library's read from a pipe that gets its four bytes a while later."""


def run(script: str) -> dict[str, Any]:
    """Run a script after the prelude; return what it told last."""
    program = PRELUDE + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_time_is_given_to_the_functions_and_the_line_in_which_it_passes() -> None:
    told = run(
        """
        def heavy():
            wait_for_ticks(60)

        sampler.start()
        with Span(timeline, "forward"), Span(timeline, "op:named"):
            heavy()
        sampler.stop()
        tell()
        """
    )

    assert told["why_not"] is None
    assert told["ticks"]["forward:heavy"] >= 50
    assert not [key for key in told["ticks"] if key.startswith("op:")]


def test_a_long_call_that_sees_no_signals_counts_in_full_for_the_function_that_makes_it() -> None:
    told = run(
        """
        import hashlib

        def digest():
            began = time.monotonic()
            hashlib.sha256(bytes(200_000_000))
            return time.monotonic() - began

        sampler.start()
        took_s = digest()
        sampler.stop()
        tell(took_s=took_s)
        """
    )

    assert told["ticks"]["other:digest"] >= 200 * told["took_s"] - 20


def test_an_operator_is_not_blamed_on_the_function_that_is_entered_after_it() -> None:
    told = run(
        """
        class Slow:
            def __init__(self):
                self.text = bytes(60_000_000)

        slow = Slow()

        def innocent():
            return None

        def guilty():
            for _ in range(40):
                both = slow.text + slow.text
                innocent()

        sampler.start()
        guilty()
        sampler.stop()
        tell()
        """
    )

    assert told["ticks"]["other:guilty"] > 20
    assert told["ticks"].get("other:innocent", 0) <= 3


@pytest.mark.parametrize(
    "wait",
    [
        "time.sleep(0.3)",
        "__import__('select').select([], [], [], 0.3)",
        "threading.Lock().acquire(timeout=0.3) and held.acquire(timeout=0.3)",
        "__import__('queue').Queue().get(timeout=0.3)",
        "__import__('subprocess').run(['sleep', '0.3'])",
        "a.recv(1)",
    ],
)
def test_waits_of_python_last_as_long_as_without_it_and_raise_nothing(wait: str) -> None:
    told = run(
        f"""
        import contextlib, queue, socket
        held = threading.Lock()
        held.acquire()
        a, b = socket.socketpair()
        a.settimeout(0.3)
        sampler.start()
        began = time.monotonic()
        with contextlib.suppress(TimeoutError, queue.Empty):
            {wait}
        took_s = time.monotonic() - began
        sampler.stop()
        tell(took_s=took_s)
        """
    )

    assert told["took_s"] >= 0.29
    assert sum(told["ticks"].values()) > 0


def test_a_library_that_sleeps_again_and_again_in_one_call_is_interrupted_once_at_most() -> None:
    """SQLite adds up how long it meant to sleep: cut short each time, it would give up early."""
    told = run(
        """
        import sqlite3, tempfile
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "runs.db")
            held = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            held.execute("create table values_of (value)")
            held.execute("begin immediate")
            other = sqlite3.connect(path, isolation_level=None, timeout=5)
            threading.Timer(1.0, held.execute, ["commit"]).start()
            sampler.start()
            other.execute("insert into values_of values (1)")
            sampler.stop()
            written = other.execute("select count(*) from values_of").fetchone()[0]
        tell(written=written)
        """
    )

    assert told["written"] == 1
    assert sum(told["ticks"].values()) > 20


@pytest.mark.parametrize("action", ["SIG_DFL", "SIG_IGN"])
def test_a_program_that_resets_the_signal_ends_the_sampling_and_nothing_else(action: str) -> None:
    told = run(
        f"""
        sampler.start()
        wait_for_ticks(5)
        signal.signal(signal.SIGURG, signal.{action})
        spin(0.1)
        sampler.stop()
        tell(kept=signal.getsignal(signal.SIGURG) == signal.{action})
        """
    )

    assert told["kept"]
    assert told["why_not"] == "the program took over SIGURG, the signal that sampling used"


def test_a_program_that_takes_all_signals_gets_one_at_most_and_keeps_its_handlers() -> None:
    told = run(
        """
        got = []
        sampler.start()
        wait_for_ticks(5)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, lambda number, frame: got.append(number))
        spin(0.3)
        sampler.stop()
        tell(got=len(got), kept=callable(signal.getsignal(signal.SIGURG)))
        """
    )

    assert told["got"] <= 1
    assert told["kept"]


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("signal.signal(signal.SIGURG, lambda *_: None)", "another part of the program"),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGURG})", "is blocked"),
        ("sys.settrace(lambda *_: None)", "a debugger or another tracer"),
        (
            "pair = __import__('socket').socketpair(); pair[0].setblocking(False); "
            "signal.set_wakeup_fd(pair[0].fileno())",
            "an event loop",
        ),
        ("__import__('ctypes').CDLL(None).signal(signal.SIGURG, 1)", "another part"),
    ],
)
def test_where_it_would_be_in_the_way_it_does_not_begin_and_says_why(before: str, why: str) -> None:
    told = run(
        f"""
        {before}
        sampler.start()
        spin(0.05)
        told = sampler.why_not
        sampler.stop()
        sys.settrace(None)
        tell()
        """
    )

    assert why in told["why_not"]
    assert told["ticks"] == {}


def test_a_thread_beside_the_main_one_is_not_sampled_and_the_reason_says_what_to_do() -> None:
    told = run(
        """
        thread = threading.Thread(target=sampler.start)
        thread.start()
        thread.join()
        tell()
        """
    )

    assert told["why_not"].endswith("main thread alone; run it there")


def test_a_recursion_goes_exactly_as_deep_as_without_it() -> None:
    told = run(
        """
        def deep(levels):
            if levels:
                return deep(levels - 1)
            wait_at_the_bottom()

        def wait_at_the_bottom():
            for _ in range(2_000_000):
                pass

        def deepest():
            levels = 900
            while True:
                try:
                    deep(levels)
                except RecursionError:
                    return levels
                levels += 1

        wait, wait_at_the_bottom = wait_at_the_bottom, lambda: None
        reached = deepest() - 1
        wait_at_the_bottom = wait
        sampler.start()
        for _ in range(10):
            deep(reached)
        sampler.stop()
        tell(limit=sys.getrecursionlimit())
        """
    )

    assert told["why_not"] is None
    assert told["ticks"]["other:deep"] > 0
    assert told["limit"] == 1000


def test_reads_of_c_go_on_after_the_program_has_put_back_the_handler_that_it_found() -> None:
    told = run(
        READ
        + """
sampler.start()
signal.signal(signal.SIGURG, signal.getsignal(signal.SIGURG))
wait_for_ticks(total() + 2)
found = [read() for _ in range(5)]
sampler.stop()
tell(found=found)
"""
    )

    assert told["found"] == [4] * 5
    assert told["why_not"] is None


def test_it_begins_as_ever_where_the_handler_of_an_earlier_one_was_put_back() -> None:
    told = run(
        READ
        + """
limit = sys.getrecursionlimit()
sampler.start()
margin = sys.getrecursionlimit() - limit
handler = signal.getsignal(signal.SIGURG)
sampler.stop()
signal.signal(signal.SIGURG, handler)
sampler.start()
margin_again = sys.getrecursionlimit() - limit
found = read()
sampler.stop()
tell(found=found, margins=[margin, margin_again], left=sys.getrecursionlimit() - limit,
     handler=signal.getsignal(signal.SIGURG) == signal.SIG_DFL)
"""
    )

    assert told["found"] == 4
    assert told["margins"][0] == told["margins"][1] > 0
    assert told["left"] == 0
    assert told["handler"]


def test_what_handlers_of_the_program_raise_reaches_the_program() -> None:
    told = run(
        """
        class Alarm(Exception): pass

        def ring(number, frame):
            raise Alarm

        signal.signal(signal.SIGALRM, ring)
        sampler = StackSampler(timeline, 1000)
        sampler.start()
        caught = 0
        for _ in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0015)
                spin(5)
            except Alarm:
                caught += 1
        sampler.stop()
        tell(caught=caught)
        """
    )

    assert told["caught"] == 300
    assert told["why_not"] is None


def test_a_forked_child_is_not_sampled_until_it_begins_by_itself() -> None:
    told = run(
        """
        import os
        sampler.start()
        wait_for_ticks(5)
        child = os.fork()
        if not child:
            is_clean = signal.getsignal(signal.SIGURG) == signal.SIG_DFL
            is_clean = is_clean and sys.getrecursionlimit() == 1000
            before = total()
            spin(0.05)
            silent = total() == before
            again = StackSampler(timeline, 200)
            again.start()
            spin(0.1)
            again.stop()
            found = sum(sum(s.ticks.values()) for s in again.take().values())
            is_clean = is_clean and sys.getrecursionlimit() == 1000
            os._exit(0 if silent and found and is_clean else 1)
        _, status = os.waitpid(child, 0)
        sampler.stop()
        tell(status=status)
        """
    )

    assert told["status"] == 0


def test_two_at_once_each_see_their_own_timeline_and_the_last_takes_the_handler_away() -> None:
    told = run(
        """
        inner_timeline = Timeline("other", Stage.VALIDATION)
        inner = StackSampler(inner_timeline, 100)
        sampler.start()
        inner.start()
        wait_for_ticks(20)
        inner.stop()
        wait_for_ticks(30)
        sampler.stop()
        (stage, stacks), = inner.take().items()
        tell(stage=stage.value, inner=sum(stacks.ticks.values()),
             handler=signal.getsignal(signal.SIGURG) == signal.SIG_DFL)
        """
    )

    assert told["stage"] == "validation"
    assert told["inner"] > 0
    assert told["handler"]
    assert sum(told["ticks"].values()) > 0


def test_the_interpreter_ends_while_it_is_running() -> None:
    told = run("sampler.start()\nwait_for_ticks(3)\ntell()")

    assert told["ticks"]


def test_a_debugger_that_comes_later_is_not_led_through_the_ticks() -> None:
    told = run(
        """
        files = []

        def trace(frame, event, arg):
            files.append(frame.f_code.co_filename)

        sampler.start()
        wait_for_ticks(5)
        sys.settrace(trace)
        def call(): pass
        for _ in range(200_000):
            call()
        sys.settrace(None)
        sampler.stop()
        tell(seen=sum("sampling" in file for file in files))
        """
    )

    assert told["why_not"] == "a debugger or another tracer was at work"
    assert told["seen"] <= 5


def test_an_event_loop_that_comes_later_is_woken_by_one_tick_at_most_and_keeps_its_file() -> None:
    told = run(
        """
        import socket
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)

        sampler.start()
        wait_for_ticks(5)
        signal.set_wakeup_fd(theirs.fileno())
        spin(0.3)
        sampler.stop()
        kept = signal.set_wakeup_fd(-1) == theirs.fileno()
        theirs.send(b"end")
        tell(kept=kept, got=len(ours.recv(1000)) - len(b"end"))
        """
    )

    assert told["why_not"] == "an event loop began to hear of every signal (signal.set_wakeup_fd)"
    assert told["kept"]
    assert told["got"] <= 1


def test_a_limit_on_different_stacks_keeps_the_line_of_the_others() -> None:
    told = run(
        """
        from ocr_baseline.measure import sampling
        sampling.MOST_FUNCTIONS = 1
        sampler.start()
        wait_for_ticks(10)
        sampler.stop()
        tell()
        """
    )

    assert told["ticks"]["other:others"] >= 5


@pytest.mark.parametrize("is_sampled", [False, True])
def test_code_that_torch_compiles_becomes_the_same_graphs(is_sampled: bool) -> None:
    told = run(
        f"""
        import torch
        from torch._dynamo.utils import counters

        def repeated(x):
            for _ in range(20):
                x = torch.sin(x) + x
            return x

        @torch.compile(fullgraph=True, backend="eager")
        def whole(x):
            return repeated(x).sum()

        @torch.compile(backend="eager")
        def broken(x):
            print(end="")
            return repeated(x)

        sampler = StackSampler(timeline, 1000)
        if {is_sampled}:
            sampler.start()
        for step in range(500):
            whole(torch.ones(10 + step % 3))
            broken(torch.ones(5))
        sampler.stop()
        tell(graphs=counters["stats"]["unique_graphs"], frames=counters["frames"]["total"])
        """
    )

    assert bool(told["ticks"]) == is_sampled
    assert (told["graphs"], told["frames"]) == (3, 2)
