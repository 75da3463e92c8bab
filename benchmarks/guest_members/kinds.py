"""The kinds, and where their members are."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.guest_members.member import Member

KINDS = {
    "loaders": "odd loaders: nothing of them may raise into the training",
    "objects": "odd loggers, modules and trainers",
    "callbacks": "other callbacks: order, state, lists that change",
    "alone": "other trainers, threads, processes, runs in the folder",
    "stand_ins": "what is timed behaves as what it is",
    "traced": "compiled, scripted, exported and mapped code",
    "reading": "looking at it would change it",
    "samples": "samples that are certain, or not told",
    "loops": "loops of the same trainer, and how they end",
    "actions": "the user's own profiler and its actions",
    "bounded": "much of everything: the end of a fit stays short",
    "names": "names that are refused before the run, and those that aren't",
    "files": "files that are nearly right",
    "folders": "output folders, special files, streams",
    "lifetimes": "what lives as long as without us",
    "settings": "signals, clocks and settings of the process",
    "checkpoints": "checkpoints with and without us",
    "strategies": "precisions and several processes",
    "plain_loops": "loops without a Trainer",
    "forks": "children that are forked as a run goes, and train too",
}
"""By name of the file."""


def members_of(kind: str) -> Mapping[str, Member]:
    """Return the members of a kind by their names."""
    module = importlib.import_module(f"benchmarks.guest_members.{kind}")
    by_name: Mapping[str, Member] = module.member.by_name
    return by_name
