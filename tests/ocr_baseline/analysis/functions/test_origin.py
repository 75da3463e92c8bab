from __future__ import annotations

import pytest

from ocr_baseline.analysis.functions.origin import origin_of, place_in_file
from ocr_baseline.model.run import SampledFunction


@pytest.mark.parametrize(
    ("file", "origin"),
    [
        ("/home/me/project/data.py", "user"),
        ("src/data.py", "user"),
        ("C:\\work\\project\\data.py", "user"),
        ("/scratch/ipykernel_12/345.py", "user"),
        ("<ipython-input-3-0a1b>", "user"),
        ("/home/me/lib/python_code/data.py", "user"),
        ("/venv/lib/python3.12/site-packages/torchmetrics/metric.py", "library"),
        ("C:\\venv\\Lib\\site-packages\\matplotlib\\figure.py", "library"),
        ("/usr/lib/python3/dist-packages/six.py", "library"),
        ("/venv/lib/python3.12/site-packages/torch/nn/functional.py", "framework"),
        ("/venv/lib/python3.12/site-packages/lightning/pytorch/loops/loop.py", "framework"),
        ("/home/me/src/pytorch_lightning/trainer/trainer.py", "framework"),
        ("/usr/lib/python3.12/json/encoder.py", "stdlib"),
        ("/opt/uv/cpython-3.13.1/lib/python3.13t/threading.py", "stdlib"),
        ("C:\\Python312\\Lib\\threading.py", "stdlib"),
        ("project/lightning/net.py", "user"),
        ("lib/python_code/data.py", "user"),
        ("site-packages/torchmetrics/metric.py", "library"),
        ("site-packages/torch/_ops.py", "framework"),
        ("lightning/pytorch/loops/fit_loop.py", "framework"),
        ("python3.11/multiprocessing/queues.py", "stdlib"),
        ("ocr_baseline/recording/recording.py", "own"),
        ("/home/me/ocr-baseline/ocr_baseline/signal_errors.py", "own"),
        ("/home/me/ocr_baseline/train.py", "user"),
        ("<frozen importlib._bootstrap>", "stdlib"),
        ("/venv/lib/python3.12/site-packages/ocr_baseline/measure/recorder.py", "own"),
    ],
)
def test_whose_a_function_is_follows_from_its_file(file: str, origin: str) -> None:
    assert origin_of(SampledFunction("f", file, 1)) == origin


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("/home/me/project/data.py", "data.py:31"),
        ("C:\\work\\project\\data.py", "data.py:31"),
        ("/scratch/ipykernel_12/345.py", "notebook cell, line 31"),
        ("ipykernel_12/345.py", "notebook cell, line 31"),  # as records keep it
        ("C:\\scratch\\ipykernel_12\\345.py", "notebook cell, line 31"),
        ("<ipython-input-3-0a1b>", "notebook cell, line 31"),
        ("/home/me/ipykernel_12/data.py", "data.py:31"),
    ],
)
def test_a_place_is_a_file_and_its_line_and_in_a_notebook_the_line_of_a_cell(
    file: str, place: str
) -> None:
    assert place_in_file(file, 31) == place
