"""The order in which a live run's sources are tried, and what is said about those that fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ocr_baseline.errors import SettingError, SourceError
from ocr_baseline.lightning.run import description as run_description
from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.model.privacy import config_hash, error_text
from ocr_baseline.model.run import MeasurementRecord, Missing, Run, RunInfo
from ocr_baseline.recording.read_back import with_end, without_batches
from ocr_baseline.signal_errors import let_through
from ocr_baseline.sources import SOURCES, find_source

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.recording.config_policy import ConfigPolicy
    from ocr_baseline.sources.source import LiveRun
    from ocr_baseline.vocabulary import RunStatus, SourceName

DEFAULT_ORDER: tuple[SourceName, ...] = tuple(SOURCES)


def checked_order(names: Collection[str] | None) -> tuple[SourceName, ...]:
    """Return the sources to try, in that order; None stands for all of them in the usual one.

    Raises:
        SettingError: A name is unknown or stands there twice, or there is none.
    """
    if names is None:
        return DEFAULT_ORDER
    known = {str(name): name for name in DEFAULT_ORDER}
    wrong = _wrong_order(names, known)
    if wrong:
        raise SettingError(f"sources: {wrong}; choose from {', '.join(DEFAULT_ORDER)}")
    return tuple(known[str(name)] for name in names)


def _wrong_order(names: Collection[str], known: Collection[str]) -> str | None:
    if isinstance(names, str):
        return f"a list is needed, not {names!r}"
    if not names:
        return "the list is empty"
    unknown = [repr(str(name)) for name in names if str(name) not in known]
    if unknown:
        return f"unknown source {', '.join(unknown)}"
    twice = next((name for name, number in Counter(names).items() if number > 1), None)
    return None if twice is None else f"{str(twice)!r} is listed twice"


@unchanged_random_state()
def live_info(trainer: Trainer, status: RunStatus, ended_by: str | None) -> RunInfo:
    """Return what the trainer and its loggers say of which run this is."""
    identity = run_description.run_identity(trainer)
    return RunInfo(source="logged-metrics", status=status, ended_by=ended_by, **identity)


def load_run(
    live: LiveRun,
    module: LightningModule,
    order: Collection[SourceName],
    policy: ConfigPolicy,
    given_up: MutableMapping[SourceName, str],
) -> Run:
    """Return the run from the first source that holds any times of it.

    A source that fails is named in the run's `missing`, and the next is tried; when none holds
    anything, the run is empty and says so. A server that failed enters `given_up` with the cause,
    and what stands there is not asked again.
    """
    failures: list[Missing] = []
    empty = Run(info=live.info, measurement=MeasurementRecord())
    for name in order:
        try:
            for run in _runs(name, live, given_up):
                if run.stages:
                    return _completed(run, live, module, policy, failures)
                if run.info.source == "recorder":
                    empty = run
        except SourceError as error:
            failures.append(Missing(metric=f"source {name}", reason="failed", detail=str(error)))
        # Loggers and clients are other people's code: what they raise must not cost the report
        # that the next source can give.
        except Exception as error:  # noqa: BLE001
            let_through(error)
            cause = error_text(error)
            failures.append(Missing(metric=f"source {name}", reason="failed", detail=cause))
    nothing = _nothing_found(empty, order, given_up.get("recorder"))
    empty = replace(empty, missing=(*empty.missing, nothing))
    return _completed(empty, live, module, policy, failures)


def _runs(
    name: SourceName, live: LiveRun, given_up: MutableMapping[SourceName, str]
) -> Iterator[Run]:
    if name in given_up:
        raise SourceError(given_up[name])
    asked = find_source(name)
    try:
        yield from asked.of_trainer(live)
    except SourceError as error:
        if asked.server is not None:
            given_up[name] = str(error)
        raise


def _nothing_found(
    empty: Run, order: Collection[SourceName], why_not_recorded: str | None
) -> Missing:
    if empty.info.source == "recorder":
        return without_batches(empty)
    if why_not_recorded is not None:
        detail = f"{why_not_recorded}; no other source on the spot held performance metrics"
    else:
        detail = (
            f"no source on the spot ({', '.join(order)}) held performance metrics: "
            "add PerformanceProfilerCallback to the trainer's callbacks"
        )
    return Missing(metric="phases", reason="not_collected", detail=detail)


def _without_config(run: Run) -> Run:
    """Return the run with no more of its configuration than the hash."""
    if run.config is None:
        return run
    return replace(run, config=None, config_hash=config_hash(run.config))


def _completed(
    run: Run,
    live: LiveRun,
    module: LightningModule,
    policy: ConfigPolicy,
    failures: Collection[Missing],
) -> Run:
    """Add to what the source read what the live trainer knows better."""
    if run.info.source == "recorder":
        known = (
            run
            if run.info.status != "unknown"
            else with_end(run, live.info.status, live.info.ended_by)
        )
        if not policy.include:
            known = _without_config(known)
        return replace(known, missing=(*failures, *known.missing))
    from_trainer = ("environment", "config")
    config, hash_of_config = run_description.run_config(live.trainer, module, policy)
    return replace(
        run,
        info=replace(live.info, source=run.info.source),
        config=config,
        config_hash=hash_of_config,
        environment_identity=run_description.environment_identity(live.trainer),
        missing=(*failures, *(entry for entry in run.missing if entry.metric not in from_trainer)),
    )
