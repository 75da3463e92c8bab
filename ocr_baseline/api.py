"""The Python API: what the commands do, as functions over places and documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ocr_baseline import places
from ocr_baseline.comparison import comparison
from ocr_baseline.comparison.calibration import parse_calibration
from ocr_baseline.comparison.check import Check, check_budgets, parse_budgets
from ocr_baseline.comparison.options import Options, configured_metrics, parse_margin
from ocr_baseline.comparison.summary import RunSummary, summarize
from ocr_baseline.errors import ComparisonError, SettingError, SourceError
from ocr_baseline.files import read_text
from ocr_baseline.model.document import Baseline
from ocr_baseline.sources.logged.keys import Keys
from ocr_baseline.sources.source import DEFAULT_TIMEOUT_S, ReadOptions
from ocr_baseline.vocabulary import names_of

if TYPE_CHECKING:
    from ocr_baseline.comparison.sittings import SittingRule
    from ocr_baseline.model.run import Run

Place: TypeAlias = str | Path
Runs: TypeAlias = Baseline | Place | Iterable[Baseline | Place]


def read(
    place: Place,
    *,
    project: str | None = None,
    entity: str | None = None,
    mlflow_uri: str | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    metric_names: Mapping[str, str] | None = None,
    store: str | None = None,
) -> Baseline:
    """Return the baseline of the one run at a place.

    Args:
        place: A run's folder, a `baseline.json`, a logger's file, `csv:PATH`, `tensorboard:PATH`,
            `mlflow:ID`, `wandb:ID` or a name in the store, of which the latest run is read. A
            `Path` is always a path.
        project: The W&B project of an id that has none; default WANDB_PROJECT.
        entity: The W&B entity of an id that has none; default the account's own.
        mlflow_uri: The MLflow folder, database or server; default MLFLOW_TRACKING_URI.
        timeout_s: Give up on a server after so many seconds without an answer.
        metric_names: Your own keys for known ones, as in
            `{"my/val_seconds": "performance/val_epoch_time"}`.
        store: Folder or URL of named baselines; default OCR_BASELINE_STORE, else `baselines`.

    Raises:
        BaselineError: There is no run, there are several, or it can't be read.
        TypeError: The place is neither a string nor a path.
    """
    _check_place(place)
    options = _read_options(project, entity, mlflow_uri, timeout_s, metric_names)
    return places.read_one(place, places.Reading(options, store)).baseline


def read_run(
    place: Place,
    *,
    project: str | None = None,
    entity: str | None = None,
    mlflow_uri: str | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    metric_names: Mapping[str, str] | None = None,
) -> Run:
    """Return what was measured of the one run at a place, every batch of it where it was recorded.

    `analyze` makes a baseline of it. Arguments are those of `read`.

    Raises:
        BaselineError: As for `read`, or the place holds a document: the batches aren't in it.
        TypeError: As for `read`.
    """
    _check_place(place)
    options = _read_options(project, entity, mlflow_uri, timeout_s, metric_names)
    found = places.read_one(place, places.Reading(options))
    if found.run is None:
        raise SourceError(
            f"{place} holds a baseline document and not what it was made of; use read() for it"
        )
    return found.run


def compare(
    base: Runs,
    new: Runs,
    *,
    margins: Mapping[str, str] | None = None,
    gates: str | Sequence[str] = (),
    across: str | Sequence[str] = (),
    paired: bool = False,
    sittings: SittingRule = "auto",
    calibration: Place | None = None,
    store: str | None = None,
) -> comparison.Comparison:
    """Return how the runs `new` differ from the runs `base`, metric by metric.

    Args:
        base: A baseline, a place (`read` has the list; a folder of runs and a pattern too), or
            several of them. Of a name in the store, the runs with the environment of `new`.
        new: The same.
        margins: The smallest change that counts, by metric, as in `{"batch_time": "5%"}`.
        gates: The metrics, one or several, that count for a verdict instead of the usual ones.
        across: A field or several that differ on purpose, as in `["num_workers", "data.*"]`.
        paired: Whether the runs of both sides were taken in pairs, in order.
        sittings: Which runs share a sitting: as their times and machines tell, each by itself
            (`run`), or all (`one`).
        calibration: A file from `ocr-baseline calibrate`.
        store: Folder or URL of named baselines; default OCR_BASELINE_STORE, else `baselines`.

    Raises:
        BaselineError: A run can't be read, a side is empty, a run is on both, or an option names
            something that isn't known.
    """
    options = _options(margins, gates, across, paired, sittings, calibration)
    how = places.Reading(store_url=store)
    later = _summaries(new, how)
    return comparison.compare(_summaries(base, how, like=later), later, options)


def check(
    new: Runs,
    *,
    base: Runs | None = None,
    budgets: Place | None = None,
    margins: Mapping[str, str] | None = None,
    gates: str | Sequence[str] = (),
    across: str | Sequence[str] = (),
    paired: bool = False,
    sittings: SittingRule = "auto",
    calibration: Place | None = None,
    store: str | None = None,
) -> Check:
    """Return whether the runs `new` are slower than `base` or break a budget.

    Args:
        new: As for `compare`.
        base: What to hold them against, as for `compare`.
        budgets: A TOML file of absolute limits.
        margins: As for `compare`.
        gates: As for `compare`.
        across: As for `compare`.
        paired: As for `compare`.
        sittings: As for `compare`.
        calibration: As for `compare`; default what the store keeps with the one name in `base`.
        store: As for `compare`.

    Raises:
        BaselineError: As for `compare`, or there is neither a base nor a budget.
    """
    if base is None and budgets is None:
        raise ComparisonError("nothing to check against: give base, budgets or both")
    options = _options(margins, gates, across, paired, sittings, calibration)
    limits = [] if budgets is None else parse_budgets(read_text(Path(budgets)), str(budgets))
    how = places.Reading(store_url=store)
    later = _summaries(new, how)
    compared = None
    if base is not None:
        if options.calibration is None:
            options = replace(options, calibration=places.stored_calibration(_items(base), how))
        compared = comparison.compare(_summaries(base, how, like=later), later, options)
    return Check(comparison=compared, budgets=tuple(check_budgets(limits, later)))


def _read_options(
    project: str | None,
    entity: str | None,
    mlflow_uri: str | None,
    timeout_s: float,
    metric_names: Mapping[str, str] | None,
) -> ReadOptions:
    return ReadOptions(
        keys=Keys(metric_names),
        project=project,
        entity=entity,
        mlflow_uri=mlflow_uri,
        timeout_s=timeout_s,
    )


def _options(
    margins: Mapping[str, str] | None,
    gates: str | Sequence[str],
    across: str | Sequence[str],
    paired: bool,
    sittings: SittingRule,
    calibration: Place | None,
) -> Options:
    file = None if calibration is None else Path(calibration)
    options = Options(
        margins=dict(parse_margin(f"{name}={size}") for name, size in (margins or {}).items()),
        gates=names_of(gates),
        across=names_of(across),
        is_paired=paired,
        sittings=sittings,
        calibration=None if file is None else parse_calibration(read_text(file), str(file)),
    )
    configured_metrics(options)
    return options


def _summaries(
    runs: Runs, how: places.Reading, *, like: Sequence[RunSummary] = ()
) -> list[RunSummary]:
    found: list[RunSummary] = []
    for run in _items(runs):
        if isinstance(run, Baseline):
            found.append(summarize(run))
        else:
            _check_place(run)
            found.extend(places.summaries([run], how, like=like))
    return found


def _items(runs: Runs) -> list[Baseline | Place]:
    given: object = runs  # callers without a type checker pass anything
    if not isinstance(given, (Baseline, Iterable)):
        _check_place(given)
    return [runs] if isinstance(runs, (Baseline, str, Path)) else list(runs)


def _check_place(place: object) -> None:
    """Refuse what names no run, before anything is looked for.

    Raises:
        SettingError: It is empty.
        TypeError: It is neither a string nor a path.
    """
    if not isinstance(place, (str, Path)):
        raise TypeError(f"a place is a str or a pathlib.Path, not {type(place).__name__}")
    if not str(place).strip():
        raise SettingError("the place is empty: name a run, as in 'outputs/demo'")
