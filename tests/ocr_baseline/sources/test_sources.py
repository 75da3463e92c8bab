"""The registry of sources."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from ocr_baseline.sources import SOURCES, all_sources, find_source
from ocr_baseline.vocabulary import SourceName


@pytest.mark.parametrize("name", get_args(SourceName))
def test_each_name_of_the_vocabulary_is_a_source_that_has_this_name(name: SourceName) -> None:
    assert find_source(name).name == name


def test_no_two_sources_share_a_prefix() -> None:
    prefixes = [found.prefix for found in all_sources() if found.prefix is not None]

    assert sorted(prefixes) == ["csv", "mlflow", "tensorboard", "wandb"]


def test_importing_every_source_loads_no_framework() -> None:
    modules = list(SOURCES.values())
    heavy = ("torch", "lightning", "wandb", "pandas", "tensorboard", "yaml", "numpy")
    program = f"import sys, {', '.join(modules)}; print([m for m in {heavy} if m in sys.modules])"

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == "[]"
