from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.analysis.replay.loader_replay import LoaderReplay
from ocr_baseline.analysis.replay.loader_timeline import PREFETCH_FACTOR, LoaderPass, simulate
from ocr_baseline.analysis.replay.shared_processors import Processors, simulate_shared, undisturbed

MANY = Processors(cores=1000)


def loader_pass(
    main_s: list[float],
    fetch_s: list[float],
    ready_s: list[float],
    deliver_s: list[float] | None = None,
    receive_s: list[float] | None = None,
    prefetch_factor: int = PREFETCH_FACTOR,
) -> LoaderPass:
    nothing = [0.0] * len(main_s)
    return LoaderPass(
        main_s=np.asarray(main_s),
        fetch_s=np.asarray(fetch_s),
        deliver_s=np.asarray(deliver_s or nothing),
        receive_s=np.asarray(receive_s or nothing),
        lines_s={"op:decode": np.asarray(fetch_s) / 2},
        ready_s=np.asarray(ready_s),
        prefetch_factor=prefetch_factor,
    )


times_s = st.floats(0.0, 3.0)
passes = st.builds(
    lambda rows, ready_s, prefetch_factor: loader_pass(
        [row[0] for row in rows],
        [row[1] for row in rows],
        ready_s,
        [row[2] for row in rows],
        [row[3] for row in rows],
        prefetch_factor,
    ),
    st.lists(st.tuples(times_s, times_s, times_s, times_s), min_size=1, max_size=20),
    st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=4),
    st.integers(1, 4),
)


@given(passes)
def test_with_cores_for_everything_sharing_changes_nothing(one: LoaderPass) -> None:
    shared = simulate_shared(one, MANY)
    assert shared == pytest.approx(simulate(one), abs=1e-6)


@given(passes, st.integers(1, 4), st.integers(1, 4))
def test_what_was_measured_takes_as_long_when_it_is_shared_again(
    one: LoaderPass, cores: int, threads: int
) -> None:
    processors = Processors(cores=cores, main_threads=threads)
    again = simulate_shared(undisturbed(one, processors), processors)
    assert again == pytest.approx(simulate(one), rel=1e-6, abs=1e-6)


@given(passes, st.integers(1, 4))
def test_fewer_cores_never_take_less_time_than_all_the_work_on_them(
    one: LoaderPass, cores: int
) -> None:
    processors = Processors(cores=cores)
    columns = (one.main_s, one.fetch_s, one.deliver_s, one.receive_s)
    work_s = sum(float(column.sum()) for column in columns)
    begun_s = min(0.0, float(one.ready_s.min()))
    total_s = simulate_shared(one, processors).total_s
    assert total_s - begun_s >= work_s / cores - 1e-6
    assert total_s >= simulate(one).total_s - 1e-6


def test_two_things_on_one_core_take_turns() -> None:
    # the first batch is made in 1 s; then a second of making and one of use share a core for 2 s,
    # and the last use has it alone
    one = loader_pass([1.0, 1.0], [1.0, 1.0], [0.0])
    assert simulate_shared(one, Processors(cores=1)).total_s == pytest.approx(1 + 2 + 1)
    assert simulate_shared(one, Processors(cores=2)).total_s == pytest.approx(1 + 1 + 1)


def test_a_model_in_two_threads_wants_two_cores() -> None:
    # while the model runs 3 cores are wanted: a second of it takes 1.5 s, as does the making
    one = loader_pass([1.0, 1.0], [1.0, 1.0], [0.0])
    shared = simulate_shared(one, Processors(cores=2, main_threads=2))
    assert shared.total_s == pytest.approx(1 + 1.5 + 1)


def test_a_worker_that_mostly_waits_leaves_the_core_to_the_model() -> None:
    one = loader_pass([1.0] * 10, [1.0] * 10, [0.0])
    waiting = simulate_shared(one, Processors(cores=1, worker_cores=0.0))
    assert waiting.total_s == pytest.approx(simulate(one).total_s)


def test_what_workers_leave_undone_speeds_up_what_shares_their_core() -> None:
    one = loader_pass([1.0] * 10, [1.0] * 10, [0.0])
    measured = LoaderReplay(wait_s=11.0, batches=10, passes=[one])
    on_one_core = LoaderReplay(
        wait_s=11.0, batches=10, passes=[one], processors=Processors(cores=1)
    )
    assert measured.saving_without_s("op:decode") == pytest.approx(0.5)
    # nine makings took turns with nine uses, half a second of work each; the first making and
    # the last use were alone: 11 s of work, of which half of 1 + 9 * 0.5 goes away
    assert on_one_core.saving_without_s("op:decode") == pytest.approx(2.75)


def test_without_workers_nothing_is_shared() -> None:
    one = loader_pass([1.0, 1.0], [1.0, 1.0], [])
    assert undisturbed(one, Processors(cores=1)) is one
    assert Processors(cores=1).suffice_for(0)
    assert not Processors(cores=2).suffice_for(1)
    assert Processors(cores=math.inf).suffice_for(64)
