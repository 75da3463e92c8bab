from __future__ import annotations

import random
import warnings

import numpy as np
import torch
from numpy.random.mtrand import set_bit_generator

from ocr_baseline.measure.random_state import unchanged_random_state


def draws() -> tuple[float, float, float]:
    return random.gauss(0.0, 1.0), float(np.random.rand()), float(torch.rand(()))


def test_what_is_drawn_in_the_block_is_drawn_again_after_it() -> None:
    with unchanged_random_state():
        inside = draws()
    assert draws() == inside


def test_another_generator_of_numpys_is_put_back_without_a_warning() -> None:
    found = np.random.mtrand._rand._bit_generator
    set_bit_generator(np.random.PCG64(3))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with unchanged_random_state():
                inside = np.random.rand()
        assert np.random.rand() == inside
    finally:
        set_bit_generator(found)
