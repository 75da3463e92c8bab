"""The file that the W&B client writes of a run, offline or not: `run-ID.wandb`, read on the spot.

Nothing is sent to a server or asked from one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.clocks import monotonic
from ocr_baseline.errors import SourceError
from ocr_baseline.model.privacy import redact
from ocr_baseline.model.run import RunInfo
from ocr_baseline.sources.logged.instants import utc_instant
from ocr_baseline.sources.logged.rows import read_rows
from ocr_baseline.sources.logged.run import NotedEnvironment, run_of
from ocr_baseline.sources.source import ReadOptions, Source
from ocr_baseline.sources.wandb.environment import NOT_TOLD, packages_of
from ocr_baseline.sources.wandb.file import PATTERN, find_file
from ocr_baseline.sources.wandb.log import LogState, read_log
from ocr_baseline.sources.wandb.records import RunContents, read_records
from ocr_baseline.sources.wandb.system import with_system_metrics
from ocr_baseline.sources.wandb.values import plain_summary, unwritten_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ocr_baseline.model.run import Run
    from ocr_baseline.sources.logged.keys import Keys
    from ocr_baseline.sources.source import LiveRun
    from ocr_baseline.vocabulary import RunStatus

_NO_END = (
    "The end of the run isn't in the file: the run goes on, was killed, or the client lost its "
    "last rows (it writes them to disk up to 15 s late)."
)
_BEHIND = (
    "The W&B client had not written its last rows to disk when the report was made: the last "
    "values come from its summary, and rows before them may be missing."
)


def load(place: str | Path, options: ReadOptions | None = None) -> Run:
    """Return the run of a `.wandb` file, of its folder, or the newest in a folder of runs.

    `place` is `run-ID.wandb`, `offline-run-…/`, or the `wandb` folder or its parent.

    Raises:
        SourceError: There is no such file, it is none of W&B's or holds nothing whole, or the
            client is missing.
    """
    keys = (options or ReadOptions()).keys
    file, warnings = find_file(Path(place))
    state = LogState()
    contents = _read(file, read_log(file, state), keys)
    contents.environment_identity.update(packages_of(file.parent))
    if contents.exit_code is None:
        warnings.append(_NO_END)
    return _to_run(contents, keys, [*warnings, *_damage(state)])


def load_live(folder: Path, summary: Mapping[str, object], options: ReadOptions) -> Run:
    """Return a run that goes on: what its file holds by now, and its live summary beyond that.

    Raises:
        SourceError: As for `load`, or the file was not read within `options.timeout_s` seconds.
    """
    file, _ = find_file(folder)
    records = _until(monotonic() + options.timeout_s, read_log(file, LogState()), file)
    try:
        contents = _read(file, records, options.keys)
    except _NothingWritten:
        contents = RunContents()
    unwritten = unwritten_row(contents.rows, summary, options.keys.parse)
    if unwritten:
        contents.rows.append(unwritten)
    return _to_run(contents, options.keys, [_BEHIND] if unwritten else [])


def _of_trainer(live: LiveRun) -> Iterator[Run]:
    """Yield what the client's own file holds, of an online run too, and its summary beyond that."""
    for logger in live.loggers_of("WandbLogger"):
        if not logger.experiment.disabled:
            folder = Path(logger.experiment.dir).parent
            yield load_live(folder, plain_summary(logger.experiment.summary), live.options)


SOURCE = Source(
    name="wandb-offline",
    basis="metrics in the Weights & Biases client's own file",
    load=load,
    of_trainer=_of_trainer,
    file_names="*.wandb",
    marks=(PATTERN,),
)


class _NothingWritten(SourceError):
    """The file has its header and no whole record."""


def _read(file: Path, records: Iterable[bytes], keys: Keys) -> RunContents:
    try:
        contents = read_records(records, keys.parse, keys.own_names)
    except ImportError as error:
        raise SourceError(
            f"{file}: reading it needs the package wandb: pip install wandb"
        ) from error
    if contents.id is None and not contents.rows:
        raise _NothingWritten(
            f"{file}: holds no whole record: the run ended before the client wrote one to disk "
            "(it writes up to 15 s late), or the file is damaged at its beginning"
        )
    return contents


def _until(deadline_s: float, records: Iterator[bytes], file: Path) -> Iterator[bytes]:
    for record in records:
        yield record
        if monotonic() > deadline_s:
            raise SourceError(
                f"{file}: too long to be read at the end of a training: "
                f"`ocr-baseline report {file}` reads it"
            )


def _to_run(contents: RunContents, keys: Keys, warnings: Iterable[str]) -> Run:
    reading = read_rows(contents.rows, contents.summary, parse=keys.parse)
    return run_of(
        _info(contents),
        reading,
        config=redact(contents.config) or None,
        memory=with_system_metrics(reading.memory, contents.system_rows),
        environment=_environment(contents),
        warnings=warnings,
    )


def _environment(contents: RunContents) -> NotedEnvironment | None:
    if not contents.environment_identity:
        return None
    return NotedEnvironment(
        identity=redact(contents.environment_identity),
        volatile=redact(contents.environment_volatile),
        not_told=NOT_TOLD,
    )


def _info(contents: RunContents) -> RunInfo:
    status: RunStatus = "unknown"
    if contents.exit_code is not None:
        status = "failed" if contents.exit_code else "finished"
    return RunInfo(
        source="wandb-offline",
        status=status,
        id=contents.id,
        name=contents.name,
        project=contents.project,
        entity=contents.entity,
        started_at=utc_instant(contents.started_at_s or None),
        duration_s=contents.runtime_s,
        ended_by=f"exit code {contents.exit_code}" if status == "failed" else None,
    )


def _damage(state: LogState) -> list[str]:
    warnings = []
    if state.damaged_blocks:
        warnings.append(
            f"{state.damaged_blocks} blocks of the W&B file are damaged: the rows in them, up to "
            "32 KiB each, are missing."
        )
    if state.is_cut_off:
        warnings.append("The W&B file ends within a record: its last row was left out.")
    return warnings
