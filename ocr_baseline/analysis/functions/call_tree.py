"""The call tree of one line: its sampled stacks laid over each other.

Frames outside the line's own story are cut off: in the main process what called Lightning (the
script, its `main`) and what of the user's runs Lightning's loops and steps, in a worker everything
up to the loop that waits for work, and our own frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocr_baseline.analysis.functions.origin import (
    FETCH,
    MODULE_CALL,
    WORKER_LOOP,
    is_hand_over,
    is_lightning,
    origin_of,
    path_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.model.run import SampledFunction, StackSamples

Stack = tuple["SampledFunction", ...]
Stacks = list[tuple[Stack, int]]
"""Stacks, outermost function first, and how many sampling intervals ended in each."""

MIN_LINES_AROUND = 2


@dataclass
class Node:
    """A function at one place of the tree.

    `ticks` counts what it and its callees took; `in_modules` the part of it spent in calls of
    torch modules below. `makes_batches` says that the loader called it: modules that run there are
    transforms, and no part of the model.
    """

    function: SampledFunction | None
    ticks: int = 0
    in_modules: int = 0
    makes_batches: bool = False
    children: dict[SampledFunction, Node] = field(default_factory=dict)

    @property
    def heaviest_child(self) -> Node | None:
        """The callee that took longest."""
        return max(self.children.values(), key=lambda node: node.ticks, default=None)


def stacks_by_line(samples: StackSamples) -> dict[str, Stacks]:
    """Return the stacks of each line as it was recorded, cut to what belongs to the line."""
    functions = samples.functions
    is_own = [origin_of(function) == "own" for function in functions]
    begins = _worker_begin if samples.process == "worker" else _lightning_begin
    found: dict[str, Stacks] = {}
    for sampled in samples.stacks:
        stack = tuple(functions[frame] for frame in sampled.stack if not is_own[frame])
        found.setdefault(sampled.line, []).append((stack[begins(stack) :], sampled.ticks))
    is_own_loop = samples.process == "main" and not any(map(is_lightning, functions))
    return _without_the_script(found) if is_own_loop else found


def _lightning_begin(stack: Stack) -> int:
    places = [place for place, one in enumerate(stack) if is_hand_over(one)]
    if places:
        return places[-1]
    return next((place for place, one in enumerate(stack) if is_lightning(one)), 0)


def _worker_begin(stack: Stack) -> int:
    loops = [place for place, one in enumerate(stack) if path_of(one).endswith(WORKER_LOOP)]
    return loops[-1] + 1 if loops else 0


def _without_the_script(found: dict[str, Stacks]) -> dict[str, Stacks]:
    """Cut what is around every stack of several lines, as a loop of one's own is."""
    if len(found) < MIN_LINES_AROUND:
        return found
    shared = _shared_begin([stack for stacks in found.values() for stack, _ in stacks])
    return {
        line: [(stack[shared:], ticks) for stack, ticks in stacks] for line, stacks in found.items()
    }


def _shared_begin(stacks: Sequence[Stack]) -> int:
    """Return how many functions all stacks begin with."""
    first, last = min(stacks, key=_names), max(stacks, key=_names)
    length = min(len(first), len(last))
    return next((place for place in range(length) if first[place] != last[place]), length)


def _names(stack: Stack) -> list[tuple[str, int, str]]:
    return [(function.file, function.line, function.name) for function in stack]


def call_tree(stacks: Stacks) -> Node:
    """Return the tree's root, which stands for the line itself."""
    root = Node(None)
    for stack, ticks in stacks:
        node = root
        path = [node]
        last_module_call = 0
        for depth, function in enumerate(stack, 1):
            in_loader = node.makes_batches or path_of(function).endswith(FETCH)
            node = node.children.setdefault(function, Node(function, makes_batches=in_loader))
            path.append(node)
            if path_of(function).endswith(MODULE_CALL) and not in_loader:
                last_module_call = depth
        for depth, passed in enumerate(path):
            passed.ticks += ticks
            if depth < last_module_call:
                passed.in_modules += ticks
    return root


def heaviest_path(root: Node, least: float) -> Iterator[Node]:
    """Yield the heaviest callee, its heaviest callee and so on, while one holds `least` ticks."""
    node = root.heaviest_child
    while node is not None and node.ticks >= least:
        yield node
        node = node.heaviest_child
