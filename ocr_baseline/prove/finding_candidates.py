"""Settings that findings speak for, and causes that no setting from outside removes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.findings import catalogue
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.prove.candidates import TRIED_PHASES, Candidate, NotTried, Saving, name_of
from ocr_baseline.unchanged_script.settings import LoaderSettings, Settings, TrainerSettings
from ocr_baseline.vocabulary import Line, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import Finding

TIMES_STEPS = 10
TIMES_EPOCHS = 2
"""An interval of steps becomes ten times as long; one of epochs twice, which few epochs show."""
TIMES_SAMPLES = 4
"""So many times training's batch size is the larger one that validation is tried in."""


def finding_candidates(measured: Measured, findings: Iterable[Finding]) -> Iterator[Candidate]:
    """Yield candidates for each finding whose remedy is a setting.

    What the finding says of the saving holds for the first of them.
    """
    for finding in findings:
        kind, phase = _kind_and_phase(finding)
        make = _REMEDIES.get(kind) if phase in TRIED_PHASES else None
        for number, settings in enumerate(() if make is None else make(measured, phase)):
            yield Candidate(
                name=name_of(settings),
                settings=settings,
                phase=phase,
                why=finding.id,
                predicted=None if number else _predicted(measured, finding, settings),
            )


def _kind_and_phase(finding: Finding) -> tuple[str, str]:
    """Return what a finding is of, by its id; what is in the main process is a kind of its own."""
    kind, *where = finding.id.split(":")
    phase = where[0] if where else "validation"
    return (_OF_MAIN_PROCESS if where[1:] == ["main"] else kind), phase


def causes_without_setting(findings: Iterable[Finding]) -> Iterator[NotTried]:
    """Yield the causes worth a headline whose remedy changes code, not a setting."""
    for finding in findings:
        kind, phase = _kind_and_phase(finding)
        is_material = bool(finding.estimated_saving_s) and not finding.is_small
        if is_material and finding.part_of is None and not _is_by_setting(kind, phase):
            yield NotTried(finding.id, "its remedy is a change of code, not a setting")


def _is_by_setting(kind: str, phase: str) -> bool:
    return kind in _BY_SETTING and (kind != catalogue.HEAVY_LOGGING.id or phase == "train")


def _predicted(measured: Measured, finding: Finding, settings: Settings) -> Saving | None:
    """Return what the finding says, of an interval the part that goes when it gets longer."""
    saving_s = finding.estimated_saving_s
    if saving_s is None:
        return None
    low_s, high_s = finding.estimated_saving_low_s, finding.estimated_saving_high_s
    part = _removed_part(measured, finding, settings)
    return Saving(
        part * saving_s,
        part * (saving_s if low_s is None else low_s),
        part * (saving_s if high_s is None else high_s),
    )


def _removed_part(measured: Measured, finding: Finding, settings: Settings) -> float:
    times = settings.trainer.checkpoint_interval_times
    if times is None:
        times = settings.trainer.logging_interval_times or 0
        return 1.0 if not times else 1.0 - 1.0 / times
    passes = measured.times[Stage(_kind_and_phase(finding)[1])].passes()
    count = len(list(passes)) if times == TIMES_EPOCHS else 0
    return 1.0 - (count // times) / count if count else 1.0 - 1.0 / times


def _threads(measured: Measured, phase: str) -> list[Settings]:
    return [Settings.of_loader(phase, LoaderSettings(worker_threads=1))]


def _main_threads(measured: Measured, phase: str) -> list[Settings]:
    cores = measured.environment.cpu_count
    return [Settings(trainer=TrainerSettings(torch_threads=cores))]


def _pinned(measured: Measured, phase: str) -> list[Settings]:
    on_cpu = measured.environment.accelerator in {None, "cpu"}
    return [] if on_cpu else [Settings.of_loader(phase, LoaderSettings(pin_memory=True))]


def _batch_sizes(measured: Measured, phase: str) -> list[Settings]:
    """Return validation in batches of training's size and larger, where its own are half of that.

    Without a backward pass there is room for more samples than in training.
    """
    sizes = []
    for name in ("validation", "train"):
        found = measured.phase(name)
        if found is None or not found.samples or not found.batches:
            return []
        sizes.append(found.samples / found.batches)
    own, training = sizes
    if own * catalogue.VALIDATION_SLOWER["size"] > training:
        return []
    size = round(measured.environment.batch_size or training)
    return [
        Settings(validation=LoaderSettings(batch_size=one)) for one in (size, TIMES_SAMPLES * size)
    ]


def _seldom_logged(measured: Measured, phase: str) -> list[Settings]:
    """Return logging at a longer interval; Lightning has one for the steps of training alone."""
    if phase != "train":
        return []
    return [Settings(trainer=TrainerSettings(logging_interval_times=TIMES_STEPS))]


def _seldom_saved(measured: Measured, phase: str) -> list[Settings]:
    """Return checkpoints at a longer interval, by whether they come between steps or epochs."""
    times = measured.times.get(Stage(phase))
    table = None if times is None else times.table
    column = None if table is None else table.lines_s.get(Line.CHECKPOINT.value)
    found = measured.phase(phase)
    line = None if found is None else line_of(found, Line.CHECKPOINT.value)
    in_steps_s = 0.0 if column is None else float(column.sum())
    is_of_steps = line is not None and in_steps_s > line.total_s / 2
    longer = TIMES_STEPS if is_of_steps else TIMES_EPOCHS
    return [Settings(trainer=TrainerSettings(checkpoint_interval_times=longer))]


_OF_MAIN_PROCESS = f"{catalogue.THREAD_OVERSUBSCRIPTION.id}:main"
_REMEDIES: dict[str, Callable[[Measured, str], list[Settings]]] = {
    catalogue.THREAD_OVERSUBSCRIPTION.id: _threads,
    _OF_MAIN_PROCESS: _main_threads,
    catalogue.TRANSFER_BOUND.id: _pinned,
    catalogue.VALIDATION_SLOWER.id: _batch_sizes,
    catalogue.HEAVY_LOGGING.id: _seldom_logged,
    catalogue.HEAVY_CHECKPOINT.id: _seldom_saved,
}
_BY_SETTING = {
    *_REMEDIES,
    catalogue.TOO_FEW_WORKERS.id,
    catalogue.TOO_MANY_WORKERS.id,
    catalogue.RESTARTED_WORKERS.id,
    catalogue.INPUT_BOUND.id,
    catalogue.HANDOVER.id,
    catalogue.LOADER_STARTUP.id,
    catalogue.TAIL_LATENCY.id,
}
