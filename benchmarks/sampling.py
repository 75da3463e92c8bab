"""Call-stack sampling: is each function's share right, and what does a tick cost?

Six functions run in turn for known times, by the thread's own stopwatch: a regular expression and a
sort that hold the interpreter's lock, a Python loop, small and large tensor operations, and an
operator on large tensors followed by a call of a function that does nothing. Each way to sample
sees the same work in a process of its own; the ways take turns, since the machine is shared.

    python -m benchmarks.sampling [--rounds N]
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import torch

from benchmarks.tables import Goal, print_table
from ocr_baseline.measure.sampling import StackSampler
from ocr_baseline.measure.timeline import Timeline
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

WAYS = ("none", "sampler", "setitimer", "thread")
FUNCTIONS = ("expression", "sorting", "loop", "small", "large", "operator")
RATE_HZ = 100
REPEATS = 6
DEEP = 30
NUMBERS = torch.rand(150_000).tolist()
SMALL, LARGE = torch.ones(8), torch.ones(900, 900)


def expression() -> None:
    """Hold the lock in one long call that backtracks."""
    re.match(r"(a+)+b", "a" * 20)


def sorting() -> None:
    """Hold the lock in a sort."""
    sorted(NUMBERS)


def loop() -> None:
    """Run Python code alone."""
    total = 0
    for number in range(300_000):
        total += number


def small() -> None:
    """Call torch very often."""
    for _ in range(2000):
        SMALL.add(1)


def large() -> None:
    """Call torch for long, without the lock."""
    LARGE.matmul(LARGE)


def operator() -> None:
    """Work by an operator, which looks for no signals, before a function that does nothing."""
    _ = LARGE @ LARGE
    innocent()


def innocent() -> None:
    """Do nothing."""


def worked(depth: int, times_s: dict[str, float]) -> None:
    """Run every function, deep in a stack as a training's is."""
    if depth:
        return worked(depth - 1, times_s)
    for name in FUNCTIONS:
        began_s = time.perf_counter()
        globals()[name]()
        times_s[name] += time.perf_counter() - began_s
    return None


def name_of(frame: FrameType | None) -> str:
    """Return the innermost function that is one of those sampled."""
    while frame is not None:
        if frame.f_code.co_name in {*FUNCTIONS, "innocent"}:
            return frame.f_code.co_name
        frame = frame.f_back
    return ""


def start(way: str, seen: Counter[str]) -> Callable[[], object]:
    """Begin to sample; return what ends it."""
    if way == "sampler":
        return _start_sampler(seen)
    if way == "setitimer":
        signal.signal(signal.SIGALRM, lambda _, frame: seen.update([name_of(frame)]))
        signal.siginterrupt(signal.SIGALRM, False)
        signal.setitimer(signal.ITIMER_REAL, 1 / RATE_HZ, 1 / RATE_HZ)
        return functools.partial(signal.setitimer, signal.ITIMER_REAL, 0)
    if way == "thread":
        return _start_thread(seen)
    return lambda: None


def _start_sampler(seen: Counter[str]) -> Callable[[], object]:
    sampler = StackSampler(Timeline("other", Stage.TRAIN), RATE_HZ)
    sampler.start()

    def stop() -> None:
        sampler.stop()
        for stacks in sampler.take().values():
            for stack, ticks in stacks.ticks.items():
                names = [sampler.codes[code].co_name for code in stack[1:]]
                own = (name for name in names if name in {*FUNCTIONS, "innocent"})
                seen[next(own, "")] += ticks

    return stop


def _start_thread(seen: Counter[str]) -> Callable[[], object]:
    is_over = threading.Event()
    main = threading.get_ident()

    def look() -> None:
        while not is_over.wait(1 / RATE_HZ):
            seen[name_of(sys._current_frames().get(main))] += 1

    thread = threading.Thread(target=look)
    thread.start()

    def stop() -> None:
        is_over.set()
        thread.join()

    return stop


def child(way: str) -> None:
    """Work, sampled in one way, and print what was true, what was seen and what it took."""
    torch.set_num_threads(1)
    times_s: dict[str, float] = defaultdict(float)
    seen: Counter[str] = Counter()
    worked(DEEP, times_s)
    times_s.clear()
    cpu_s, began_s = time.process_time(), time.perf_counter()
    stop = start(way, seen)
    for _ in range(REPEATS):
        worked(DEEP, times_s)
    stop()
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    print(json.dumps({"true": times_s, "seen": seen, "cpu_s": cpu_s, "took_s": took_s}))


def tick_cost_us() -> float:
    """Return the processor time of one tick, in microseconds: loops with and without, in turns."""
    timeline = Timeline("other", Stage.TRAIN)

    def spin(depth: int) -> float:
        if depth:
            return spin(depth - 1)
        began_s = time.thread_time()
        for _ in range(4_000_000):
            pass
        return time.thread_time() - began_s

    costs = []
    for _ in range(9):
        sampler = StackSampler(timeline, 1000)
        without_s = spin(DEEP)
        sampler.start()
        with_s = spin(DEEP)
        sampler.stop()
        ticks = sum(sum(stacks.ticks.values()) for stacks in sampler.take().values())
        costs.append((with_s - without_s) / max(1, ticks) * 1e6)
    return statistics.median(costs)


def main() -> int:
    """Let the ways take turns and print the shares that each saw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", choices=WAYS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return 0
    errors: dict[str, list[float]] = defaultdict(list)
    shares: dict[tuple[str, str], list[float]] = defaultdict(list)
    cpu_s: dict[str, list[float]] = defaultdict(list)
    for _ in range(arguments.rounds):
        for way in WAYS:
            command = [sys.executable, "-m", "benchmarks.sampling", "--child", way]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            told = json.loads(done.stdout)
            cpu_s[way].append(told["cpu_s"])
            whole_s, ticks = sum(told["true"].values()), sum(told["seen"].values()) or 1
            for name in (*FUNCTIONS, "innocent"):
                true = told["true"].get(name, 0.0) / whole_s
                seen = told["seen"].get(name, 0) / ticks
                shares[way, name].append(100 * (true if way == "none" else seen))
                if way != "none":
                    errors[way].append(100 * abs(seen - true))
    header = ("function", "true without, %", *(f"{way}, %" for way in WAYS[1:]))
    print_table(
        header,
        [
            (name, *(f"{statistics.median(shares[way, name]):.1f}" for way in WAYS))
            for name in (*FUNCTIONS, "innocent")
        ],
    )
    print_table(
        ("way", "largest error, points", "processor time, s"),
        [
            (way, f"{max(errors[way], default=0.0):.1f}", f"{statistics.median(cpu_s[way]):.2f}")
            for way in WAYS
        ],
    )
    cost_us = tick_cost_us()
    print(f"one tick of the sampler, {DEEP} frames deep: {cost_us:.0f} us of processor time")
    return Goal.report(
        Goal("sampler: median error of a share, points", statistics.median(errors["sampler"]), 2),
        Goal("sampler: share of a core at 100 Hz, %", cost_us * RATE_HZ / 1e4, 1),
    )


if __name__ == "__main__":
    sys.exit(main())
