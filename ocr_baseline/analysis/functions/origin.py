"""Whose code a function is, told by the file that it is in."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ocr_baseline.model.run import SampledFunction

Origin = Literal["user", "library", "framework", "stdlib", "own"]

_INSTALLED = re.compile(r"(?:^|/)(?:site|dist)-packages/([^/]+)")
_LIGHTNING = re.compile(
    r"(?:^|/)(?:lightning/(?:pytorch|fabric)|pytorch_lightning|lightning_fabric)/"
)
_OWN = re.compile(
    r"(?:^|/)ocr_baseline/(?:(?:measure|lightning|recording|records|hydra|model|sources)/"
    r"|(?:errors|files|layout|signal_errors|vocabulary|write)\.py$)"
)
_STDLIB = re.compile(
    r"(?:^|/lib(?:64)?/(?:[^/]+/)?)(?:python|pypy)3[^/]*/|/python3\d*/lib/", re.IGNORECASE
)
TORCH = "torch"
_FRAMEWORKS = frozenset({TORCH, "functorch", "lightning_utilities"})
_NOTEBOOK_CELL = re.compile(r"^<ipython-|(?:^|[/\\])ipykernel_\d+[/\\]\d+\.py$")
"""What IPython and its kernel name a cell's code by; the kernel's file never exists."""

_TYPED_IN = ("<stdin>", "<string>", "<ipython-")

LAYER = "forward"
"""What a layer of a model calls its work."""

MODULE_CALL = "torch/nn/modules/module.py"
"""Where torch calls a module's `forward`, and its hooks."""

FETCH = "torch/utils/data/_utils/fetch.py"
"""Where a loader reads its dataset and collates, in the main process and in workers."""

_DATALOADER = "torch/utils/data/dataloader.py"
_NEXT_INDEX = "_next_index"
"""Where a loader reads its sampler: in the main process, with workers too."""

_STEP_CLOSURE = "loops/optimization/automatic.py"
"""Where Lightning runs a step, its backward pass included, for the optimizer that calls it."""

_HAND_OVER = ("trainer/call.py", "loops/fetchers.py")
"""Where Lightning calls hooks, and asks a loader for the next batch."""

WORKER_LOOP = "torch/utils/data/_utils/worker.py"
"""Where a loader's worker begins."""


def path_of(function: SampledFunction) -> str:
    """Return the function's file with `/` between its parts on every system."""
    return function.file.replace("\\", "/")


def is_notebook_cell(file: str) -> bool:
    """Whether a file stands for a cell of a notebook."""
    return _NOTEBOOK_CELL.search(file) is not None


def place_in_file(file: str, line: int) -> str:
    """Return `data.py:31`, or `notebook cell, line 31`."""
    if is_notebook_cell(file):
        return f"notebook cell, line {line}"
    # A Windows path also splits at `/`, so that this reads the paths of every system.
    return f"{PureWindowsPath(file).name}:{line}"


def origin_of(function: SampledFunction) -> Origin:
    """Return whose code it is.

    `framework` is torch and Lightning, `library` any other installed package, and `user` what is
    neither installed, nor the standard library, nor generated.
    """
    path = path_of(function)
    if path.startswith("<"):
        return "user" if path.startswith(_TYPED_IN) else "stdlib"
    if _OWN.search(path):
        return "own"
    if _LIGHTNING.search(path):
        return "framework"
    package = package_of(function)
    if package is not None:
        return "framework" if package in _FRAMEWORKS else "library"
    return "stdlib" if _STDLIB.search(path) else "user"


def package_of(function: SampledFunction) -> str | None:
    """Return the installed package that the file belongs to, None where it isn't installed."""
    installed = _INSTALLED.search(path_of(function))
    return installed.group(1).removesuffix(".py") if installed else None


def is_lightning(function: SampledFunction) -> bool:
    """Whether the function is Lightning's."""
    return _LIGHTNING.search(path_of(function)) is not None


def is_hand_over(function: SampledFunction) -> bool:
    """Whether Lightning hands over to the code of a line here.

    That is where it calls a hook, asks for a batch, or runs the step that an optimizer was given.
    What is around it of the user's (an optimizer, a strategy, a loop, a trainer) has called it, and
    is no part of the line.
    """
    path = path_of(function)
    is_closure = path.endswith(_STEP_CLOSURE) and own_name(function) == "closure"
    return (is_closure or path.endswith(_HAND_OVER)) and is_lightning(function)


def is_reading_sampler(function: SampledFunction) -> bool:
    """Whether a loader reads the indices of a batch from its sampler here."""
    return own_name(function) == _NEXT_INDEX and path_of(function).endswith(_DATALOADER)


def is_fetching(function: SampledFunction) -> bool:
    """Whether a loader makes a batch of its dataset's samples here."""
    return path_of(function).endswith(FETCH)


def own_name(function: SampledFunction) -> str:
    """Return the last part of the qualified name."""
    return function.name.rpartition(".")[2]


def is_private(name: str) -> bool:
    """Whether a part of a qualified name is private; a special method (`__call__`) isn't."""
    is_special = name.startswith("__") and name.endswith("__")
    return name.startswith("_") and not is_special
