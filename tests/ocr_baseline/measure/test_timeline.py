from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.measure.timeline import Span, Timeline, measure_event_cost_ns
from ocr_baseline.vocabulary import Stage
from tests.ocr_baseline.measure.simulated_clock import SimulatedClock


def timeline_at(clock: SimulatedClock) -> Timeline:
    return Timeline("other", Stage.TRAIN, clock)


def charged(timeline: Timeline) -> dict[str, int]:
    timeline.charge()
    names = timeline.names
    return {name: cell for name, cell in zip(names, timeline.cells, strict=False) if cell}


def test_time_goes_to_the_innermost_line() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    outer, inner = Span(timeline, "outer"), Span(timeline, "inner")

    clock.work(1)
    with outer:
        clock.work(10)
        with inner:
            clock.work(100)
        clock.work(1000)
    clock.work(10_000)

    assert charged(timeline) == {"other": 10_001, "outer": 1010, "inner": 100}


def test_a_span_may_be_entered_again_inside_itself() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    span = Span(timeline, "line")

    with span:
        clock.work(1)
        with span:
            clock.work(2)
        clock.work(4)
    clock.work(8)

    assert charged(timeline) == {"line": 7, "other": 8}


def test_a_span_that_an_exception_leaves_is_left() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)

    with suppress(ValueError), Span(timeline, "line"):
        clock.work(3)
        raise ValueError
    clock.work(5)

    assert charged(timeline) == {"line": 3, "other": 5}


def test_a_line_left_open_inside_a_span_ends_with_the_span() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    leak = timeline.index("leak")

    with Span(timeline, "outer"):
        with Span(timeline, "step"):
            timeline.push(leak)
            clock.work(1)
            timeline.push(leak)
            clock.work(2)
        clock.work(4)
    clock.work(8)

    assert charged(timeline) == {"leak": 3, "outer": 4, "other": 8}
    assert timeline.stack == []


def test_a_span_that_a_restart_cut_off_changes_nothing_when_it_ends() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    span = Span(timeline, "before")

    span.__enter__()
    timeline.restart()
    with Span(timeline, "after"):
        span.__exit__(None, None, None)
        clock.work(1)
    clock.work(2)

    assert charged(timeline) == {"after": 1, "other": 2}


def test_popping_more_than_was_pushed_ends_at_the_outermost_line() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)

    timeline.pop()
    clock.work(1)
    timeline.leave(timeline.index("never entered"))
    clock.work(2)

    assert charged(timeline) == {"other": 3}


def test_a_line_taken_out_leaves_those_entered_after_it_open() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    first, second = timeline.index("first"), timeline.index("second")

    timeline.push(first)
    timeline.push(second)
    assert timeline.remove(first)
    clock.work(1)
    assert timeline.remove(second)
    clock.work(2)
    assert not timeline.remove(first)

    assert charged(timeline) == {"second": 1, "other": 2}


def test_swapped_cells_keep_two_stages_apart() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    validation: list[int] = []

    with Span(timeline, "outer"):
        clock.work(1)
        training = timeline.swap(validation)
        clock.work(2)
        with Span(timeline, "made later"):
            clock.work(4)
        validation = timeline.swap(training)
        clock.work(8)

    assert charged(timeline) == {"outer": 9}
    assert validation == [0, 2, 4]


def test_the_accounts_begin_anew_after_a_restart() -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    timeline.push(timeline.index("torn"))
    clock.work(5)

    timeline.restart()
    clock.work(7)

    assert charged(timeline) == {"other": 7}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["enter", "leave", "leave any", "push only", "take", "swap", "remove"]),
            st.integers(0, 4),
            st.integers(0, 10**12),
        ),
        max_size=60,
    )
)
def test_cells_sum_to_the_time_that_passed_whatever_is_done(
    moves: list[tuple[str, int, int]],
) -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    began_ns = clock()
    spans = [Span(timeline, f"line {number}") for number in range(5)]
    entered: list[Span] = []
    set_aside: list[list[int]] = []
    other_stage: list[int] = []
    for move, which, duration_ns in moves:
        clock.work(duration_ns)
        if move == "enter":
            spans[which].__enter__()
            entered.append(spans[which])
        elif move == "leave" and entered:
            entered.pop().__exit__(None, None, None)
        elif move == "leave any":
            spans[which].__exit__(None, None, None)
        elif move == "push only":
            timeline.push(which)
        elif move == "take":
            timeline.charge()
            set_aside.append(timeline.take())
        elif move == "swap":
            other_stage = timeline.swap(other_stage)
        elif move == "remove":
            timeline.remove(which)
    timeline.charge()

    cells = [*set_aside, other_stage, timeline.cells]
    assert sum(sum(row) for row in cells) == clock() - began_ns
    assert all(cell >= 0 for row in cells for cell in row)


@given(st.recursive(st.integers(0, 1000), lambda inner: st.lists(inner, max_size=4)))
def test_nested_spans_charge_as_their_nesting_says(tree: Any) -> None:
    clock = SimulatedClock()
    timeline = timeline_at(clock)
    expected = [0] * 50

    def run(node: Any, depth: int) -> None:
        with Span(timeline, f"depth {depth}"):
            if isinstance(node, int):
                clock.work(node)
                expected[depth] += node
            else:
                for child in node:
                    run(child, depth + 1)

    run(tree, 0)

    assert charged(timeline) == {f"depth {d}": ns for d, ns in enumerate(expected) if ns}


def test_threads_that_ask_for_lines_at_once_get_one_index_a_name() -> None:
    timeline = timeline_at(SimulatedClock())
    barrier = threading.Barrier(4)
    found: list[list[int]] = []

    def ask() -> None:
        barrier.wait()
        found.append([timeline.index(f"line {number}") for number in range(300)])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        timeline.take()
    for thread in threads:
        thread.join()

    assert found == [found[0]] * 4
    assert sorted(found[0]) == list(range(1, 301))
    assert len(timeline.names) == 301
    assert len(timeline.cells) >= 301


def test_the_cost_of_a_span_is_measured_in_nanoseconds_not_milliseconds() -> None:
    assert 0 < measure_event_cost_ns(repeats=200, rounds=3) < 100_000
