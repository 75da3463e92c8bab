"""Whether a setting took effect in a trial, by what the trial told and by its records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ocr_baseline.unchanged_script.settings import TOLD_NAME
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.unchanged_script.settings import LoaderSettings, Settings


def told_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what a trial told of its settings, by setting; nothing where it told nothing."""
    try:
        told = json.loads((folder / TOLD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {one["what"]: one for one in told}


def obstacle(settings: Settings, told: dict[str, dict[str, Any]], trial: Measured) -> str | None:
    """Return why settings are not what the trial ran with, None where they are."""
    for what in settings.given():
        one = told.get(what)
        if one is None:
            return f"{what} wasn't set: the trial read no such loader"
        if one["why_not"] is not None:
            return f"{what} can't be set from outside: {one['why_not']}"
    for phase, asked in (("train", settings.train), ("validation", settings.validation)):
        found = _of_loader(phase, asked, trial)
        if found is not None:
            return found
    threads = settings.trainer.torch_threads
    if threads is not None and trial.environment.torch_num_threads != threads:
        return f"torch computed in {trial.environment.torch_num_threads} threads, not in {threads}"
    return None


def _of_loader(phase: str, asked: LoaderSettings, trial: Measured) -> str | None:
    """Return how the records of a loader contradict what was asked, None where they don't."""
    found, times = trial.phase(phase), trial.times.get(Stage(phase))
    if found is None or times is None:
        return None if not asked.given() else f"the trial has no {phase}"
    workers = trial.workers_of(found)
    count = 0 if workers is None else workers.count
    if asked.num_workers is not None and count != min(asked.num_workers, found.batches or count):
        return f"{phase} ran with {count} loader workers, not with {asked.num_workers}"
    if workers is not None and asked.persistent_workers and workers.processes > workers.count:
        return f"{phase} started its loader workers anew for each pass"
    if workers is not None and asked.worker_threads is not None:
        threads = workers.torch_threads
        if threads is not None and threads != asked.worker_threads:
            return f"torch computed in {threads} threads in each worker of {phase}"
    if asked.batch_size is not None and found.samples and found.batches:
        longest = max(rows.stop - rows.start for rows in times.passes())
        is_smaller = found.samples / found.batches < asked.batch_size / 2
        if is_smaller and longest > 1:
            return f"{phase} ran in batches of {found.samples / found.batches:.3g}"
    return None
