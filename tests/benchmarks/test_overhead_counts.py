from __future__ import annotations

import pytest

from benchmarks.overhead_counts import WARM_UP_BATCHES, count_calls
from benchmarks.overhead_training import NOTHING, OURS_UNSAMPLED, VARIANTS


def calls_of_two_batches(variant: str) -> float:
    make = VARIANTS[variant]
    count_calls(make, batches=WARM_UP_BATCHES + 2)  # caches fill, modules are imported
    counter = count_calls(make, batches=20)
    return sum(counter.calls_of_a_batch(stage) for stage in counter.marks)


@pytest.mark.slow
def test_a_training_and_a_validation_batch_make_no_call_more_than_with_nothing() -> None:
    assert calls_of_two_batches(OURS_UNSAMPLED) <= calls_of_two_batches(NOTHING)
