"""Call stacks as sampling meets them, written as one line of text each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ocr_baseline.model.run import SampledFunction, SampledStack, StackSamples
from ocr_baseline.vocabulary import Stage

SITE = "/venv/lib/python3.12/site-packages/"
FILES = {
    "user": "/home/me/project/train.py",
    "lightning": SITE + "lightning/pytorch/loops/fit_loop.py",
    "automatic": SITE + "lightning/pytorch/loops/optimization/automatic.py",
    "call": SITE + "lightning/pytorch/trainer/call.py",
    "fetchers": SITE + "lightning/pytorch/loops/fetchers.py",
    "module": SITE + "torch/nn/modules/module.py",
    "torch": SITE + "torch/nn/functional.py",
    "cuda": SITE + "torch/cuda/__init__.py",
    "loader": SITE + "torch/utils/data/dataloader.py",
    "fetch": SITE + "torch/utils/data/_utils/fetch.py",
    "worker": SITE + "torch/utils/data/_utils/worker.py",
    "stdlib": "/usr/lib/python3.12/json/encoder.py",
    "ours": "/home/me/ocr_baseline/measure/timed_functions.py",
}
FIT = "user:<module> user:main lightning:Trainer.fit"
CALL = "module:Module._call_impl"


def samples(
    lines: Mapping[str, Mapping[str, int]],
    *,
    which: Stage = Stage.TRAIN,
    process: Literal["main", "worker"] = "main",
) -> StackSamples:
    """Stacks by line: `user:f torch:g` is g called by f; a file that isn't known is a library's."""
    functions: dict[SampledFunction, int] = {}
    stacks = [
        SampledStack(
            line,
            tuple(functions.setdefault(_function(one), len(functions)) for one in text.split()),
            ticks,
        )
        for line, found in lines.items()
        for text, ticks in found.items()
    ]
    return StackSamples(
        stage=which,
        process=process,
        interval_s=0.01,
        functions=tuple(functions),
        stacks=tuple(stacks),
    )


def _function(text: str) -> SampledFunction:
    place, _, name = text.partition(":")
    return SampledFunction(name, FILES.get(place, f"{SITE}{place}/core.py"), len(name))
