"""The registry of sources."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from typing import get_args

import pytest

from ocr_baseline.sources import SOURCES
from ocr_baseline.vocabulary import SourceName


@pytest.mark.parametrize("name", SOURCES)
def test_each_entry_is_a_function_under_a_known_source_name(name: str) -> None:
    assert name in get_args(SourceName)
    assert callable(pkgutil.resolve_name(SOURCES[name]))


def test_importing_every_source_loads_no_framework() -> None:
    modules = [target.split(":")[0] for target in SOURCES.values()]
    heavy = ("torch", "lightning", "wandb", "pandas", "tensorboard", "yaml")
    program = f"import sys, {', '.join(modules)}; print([m for m in {heavy} if m in sys.modules])"

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == "[]"
