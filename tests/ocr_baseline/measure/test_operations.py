from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest

from ocr_baseline.measure.operations import CALL_SAMPLE_SIZE, CallTally, Operations
from ocr_baseline.measure.own_threads import own_thread
from ocr_baseline.measure.sections import listen, section
from ocr_baseline.measure.timeline import Span, Timeline
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.measure.simulated_clock import SimulatedClock

TRAIN = Stage.TRAIN


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def operations(clock: SimulatedClock) -> Iterator[Operations]:
    """The operations of this thread, listening to sections until the test ends."""
    operations = Operations(Timeline("other", TRAIN, clock))
    listen(operations)
    yield operations
    listen(None)


def charged(operations: Operations) -> dict[str, int]:
    timeline = operations.timeline
    timeline.charge()
    return {n: cell for n, cell in zip(timeline.names, timeline.cells, strict=False) if cell}


def totals(operations: Operations, stage: Stage = TRAIN) -> dict[str, tuple[int, int]]:
    return {
        name: (operation.tallies[stage].calls, operation.tallies[stage].total_ns)
        for name, operation in operations.items()
        if stage in operation.tallies
    }


def test_inclusive_totals_and_exclusive_lines_differ_by_what_is_nested(
    clock: SimulatedClock, operations: Operations
) -> None:
    with section("outer"):
        clock.work(1)
        with section("inner"):
            clock.work(10)
        clock.work(100)

    assert totals(operations) == {"outer": (1, 111), "inner": (1, 10)}
    assert charged(operations) == {"op:outer": 101, "op:inner": 10}


def test_recursion_counts_each_call_and_its_time_once(
    clock: SimulatedClock, operations: Operations
) -> None:
    @section("fib")
    def descend(depth: int) -> None:
        clock.work(1)
        if depth:
            descend(depth - 1)

    descend(4)

    assert totals(operations) == {"fib": (5, 5)}
    assert charged(operations) == {"op:fib": 5}


def test_mutual_recursion_counts_each_operations_outermost_call(
    clock: SimulatedClock, operations: Operations
) -> None:
    @section("even")
    def even(number: int) -> bool:
        clock.work(1)
        return number == 0 or odd(number - 1)

    @section("odd")
    def odd(number: int) -> bool:
        clock.work(10)
        return number != 0 and even(number - 1)

    even(4)

    assert totals(operations) == {"even": (3, 23), "odd": (2, 22)}
    assert charged(operations) == {"op:even": 3, "op:odd": 20}


def test_a_section_left_by_an_exception_is_counted(
    clock: SimulatedClock, operations: Operations
) -> None:
    for _ in range(2):
        with suppress(ValueError), section("failing"):
            clock.work(5)
            raise ValueError
    clock.work(7)

    assert totals(operations) == {"failing": (2, 10)}
    assert charged(operations) == {"op:failing": 10, "other": 7}


def test_sections_of_two_generators_may_overlap_without_nesting(
    clock: SimulatedClock, operations: Operations
) -> None:
    def produce(name: str, count: int) -> Iterator[int]:
        with section(name):
            for number in range(count):
                clock.work(1)
                yield number

    first, second = produce("first", 1), produce("second", 3)
    next(first)
    next(second)
    next(first, None)
    clock.work(100)
    list(second)
    clock.work(1000)

    assert charged(operations)["other"] == 1000
    assert totals(operations) == {"first": (1, 2), "second": (1, 103)}
    assert operations.timeline.stack == []


def test_a_section_left_open_is_closed_by_the_span_around_it_and_counts_anew_later(
    clock: SimulatedClock, operations: Operations
) -> None:
    step = Span(operations.timeline, "forward")
    with step:
        section("leak").__enter__()
        clock.work(3)
    clock.work(10)
    for _ in range(2):
        with section("leak"):
            clock.work(5)

    assert charged(operations) == {"op:leak": 13, "other": 10}
    assert totals(operations) == {"leak": (2, 10)}


def test_a_generator_closed_after_its_step_changes_no_later_time(
    clock: SimulatedClock, operations: Operations
) -> None:
    def produce() -> Iterator[int]:
        with section("generator"):
            while True:
                clock.work(1)
                yield 0

    generator = produce()
    with Span(operations.timeline, "forward"):
        next(generator)
    with Span(operations.timeline, "backward"):
        generator.close()  # type: ignore[attr-defined]  # a generator function returns one
        clock.work(10)
    clock.work(100)

    assert charged(operations) == {"op:generator": 1, "backward": 10, "other": 100}


def test_a_section_open_while_the_recording_begins_is_passed_over(
    clock: SimulatedClock, operations: Operations
) -> None:
    listen(None)
    with section("early"):
        clock.work(1)
        listen(operations)
        operations.timeline.restart()
        clock.work(2)

    assert totals(operations) == {}
    assert charged(operations) == {"other": 2}


def test_a_section_open_while_the_recording_ends_is_forgotten_by_the_next(
    clock: SimulatedClock, operations: Operations
) -> None:
    with section("late"):
        listen(None)
    operations.timeline.restart()
    operations.forget_open_calls()
    listen(operations)
    with section("late"):
        clock.work(4)

    assert totals(operations) == {"late": (1, 4)}


def test_calls_are_counted_for_the_stage_they_end_in(
    clock: SimulatedClock, operations: Operations
) -> None:
    with section("decode"):
        clock.work(1)
    operations.timeline.stage = Stage.VALIDATION
    with section("decode"):
        clock.work(2)

    assert totals(operations) == {"decode": (1, 1)}
    assert totals(operations, Stage.VALIDATION) == {"decode": (1, 2)}


def test_other_threads_leave_the_accounts_of_the_main_thread_alone(
    clock: SimulatedClock, operations: Operations
) -> None:
    def work_aside() -> None:
        with section("outer"), section("inner"), section("outer"):
            clock.work(7)

    with Span(operations.timeline, "forward"):
        thread = threading.Thread(target=work_aside)
        thread.start()
        thread.join()

    assert charged(operations) == {"forward": 7}
    assert totals(operations) == {}
    tallies = {
        key: (t.calls, t.total_ns, e[0]) for key, (t, e) in operations.threads.tallies.items()
    }
    assert tallies == {("outer", TRAIN): (2, 7, 7), ("inner", TRAIN): (1, 7, 0)}


def test_many_threads_and_names_at_once_lose_no_call(operations: Operations) -> None:
    barrier = threading.Barrier(5)

    def work_aside() -> None:
        barrier.wait()
        for number in range(200):
            with section(f"name {number}"):
                pass

    threads = [threading.Thread(target=work_aside) for _ in range(4)]
    for thread in threads:
        thread.start()
    barrier.wait()
    for number in range(200):
        with section(f"name {number}"):
            operations.timeline.take()
    for thread in threads:
        thread.join()

    assert totals(operations) == {f"name {number}": (1, 0) for number in range(200)}
    calls = {name: tally.calls for (name, _), (tally, _) in operations.threads.tallies.items()}
    assert calls == {f"name {number}": 4 for number in range(200)}
    assert operations.timeline.stack == []


def test_the_sample_of_call_times_is_bounded_and_spread_over_all_calls() -> None:
    tally = CallTally()
    count = 20 * CALL_SAMPLE_SIZE
    for number in range(count):
        tally.add(number, True)

    sample = list(tally.sample_ns)
    assert tally.calls == count
    assert tally.total_ns == sum(range(count))
    assert CALL_SAMPLE_SIZE // 2 <= len(sample) <= CALL_SAMPLE_SIZE
    steps = {later - earlier for earlier, later in pairwise(sample)}
    assert steps == {tally.stride}
    assert sample[-1] > count - 2 * tally.stride


def test_calls_that_the_measuring_makes_itself_are_not_counted() -> None:
    timeline = Timeline("other", Stage.TRAIN)
    timeline.own = timeline.index("profiler")
    operations = Operations(timeline)

    def call() -> None:
        operations["json.dumps"].enter()
        operations["json.dumps"].exit()

    call()
    with Span(timeline, "profiler"):
        call()
    for thread in (own_thread(call, "ours"), threading.Thread(target=call)):
        thread.start()
        thread.join()

    assert operations["json.dumps"].tallies[Stage.TRAIN].calls == 1
    (in_threads, _) = operations.threads.tallies["json.dumps", Stage.TRAIN]
    assert in_threads.calls == 1


def test_a_very_long_name_is_cut_and_its_calls_are_all_counted(
    clock: SimulatedClock, operations: Operations
) -> None:
    for _ in range(2):
        with section("x" * 1_000_000):
            clock.work(5)

    assert totals(operations) == {"x" * 199 + "…": (2, 10)}
    assert charged(operations) == {"op:" + "x" * 199 + "…": 10}


def test_notes_are_bounded_in_number_and_length(operations: Operations) -> None:
    for number in range(1000):
        operations.note(f"{number} " + "x" * 5000)

    notes = operations.new_notes()
    assert len(notes) == 100
    assert max(map(len, notes)) == 1000
