"""What the records of a W&B file say of a run, as far as a baseline asks for it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocr_baseline.sources.logged.values import epoch_key
from ocr_baseline.sources.wandb.environment import identity_of, os_of, volatile_of
from ocr_baseline.vocabulary import REPORTED_STAGES, SECONDS_PER_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ocr_baseline.model.run import JsonValue
    from ocr_baseline.sources.logged.keys import KeyParser

_COORDINATES = ("epoch", "_step", "_runtime", "step", "trainer/global_step")
_COORDINATE = re.compile(
    rf"(.+[-/])?({'|'.join((*_COORDINATES, *map(epoch_key, REPORTED_STAGES)))})"
)
"""With a logger's prefix or without."""
_SYSTEM_METRICS = frozenset(("proc.memory.rssMB", "memory_percent", "memory"))
_WORD_IN_EVERY_KEY = b"performance"


@dataclass
class RunContents:
    """Rows of the history with a known metric, and the rest; `exit_code` is None without an end."""

    id: str | None = None
    name: str | None = None
    project: str | None = None
    entity: str | None = None
    started_at_s: float | None = None
    exit_code: int | None = None
    runtime_s: float | None = None
    rows: list[Mapping[str, object]] = field(default_factory=list)
    summary: dict[str, object] = field(default_factory=dict)
    config: dict[str, object] = field(default_factory=dict)
    environment_identity: dict[str, JsonValue] = field(default_factory=dict)
    environment_volatile: dict[str, JsonValue] = field(default_factory=dict)
    system_rows: list[dict[str, object]] = field(default_factory=list)


def read_records(
    records: Iterable[bytes], parse: KeyParser, own_names: Iterable[str] = ()
) -> RunContents:
    """Return what the records say; one that is no record of W&B's is left out.

    Raises:
        ImportError: The client, whose message types these are, is not installed.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no types
    from wandb.proto import wandb_internal_pb2

    contents = RunContents()
    parse_record = wandb_internal_pb2.Record.FromString  # type: ignore[attr-defined]  # generated
    words = (_WORD_IN_EVERY_KEY, *(_longest_word(name) for name in own_names))
    for content in records:
        try:
            record = parse_record(content)
        except DecodeError:
            continue
        kind = record.WhichOneof("record_type")
        if kind in ("history", "summary"):
            # Most rows of a training hold no known metric, and decoding one costs ten look-ups.
            if any(word in content for word in words):
                _TAKERS[kind](contents, getattr(record, kind), parse)
        elif kind in _TAKERS:
            _TAKERS[kind](contents, getattr(record, kind), parse)
    return contents


def _longest_word(name: str) -> bytes:
    """Return a part of a key that its nested form contains as well."""
    return max(re.split(r"[/.]", name), key=len).encode()


def _take_history(contents: RunContents, history: Any, parse: KeyParser) -> None:
    names = [_path(item) for item in history.item]
    if not any(parse(_flat(path)) for path in names):
        return
    row: dict[str, object] = {}
    for path, item in zip(names, history.item, strict=True):
        if _COORDINATE.fullmatch(path[0]) or parse(_flat(path)) or parse(path[0]):
            _put(row, path, _value(item))
    row.setdefault("_step", history.step.num)
    contents.rows.append(row)


def _take_summary(contents: RunContents, summary: Any, parse: KeyParser) -> None:
    for item in summary.update:
        path = _path(item)
        if parse(_flat(path)) or parse(path[0]):
            _put(contents.summary, path, _value(item))
    for item in summary.remove:
        contents.summary.pop(_path(item)[0], None)


def _take_config(contents: RunContents, config: Any, parse: KeyParser) -> None:
    for item in config.update:
        path = _path(item)
        if path[0] != "_wandb":
            _put(contents.config, path, _value(item))


def _take_stats(contents: RunContents, stats: Any, parse: KeyParser) -> None:
    row = {item.key: _value(item) for item in stats.item if item.key in _SYSTEM_METRICS}
    if not row:
        return
    if contents.started_at_s is not None:
        row["_runtime"] = _seconds(stats.timestamp) - contents.started_at_s
    contents.system_rows.append(row)


def _take_run(contents: RunContents, run: Any, parse: KeyParser) -> None:
    contents.id = run.run_id or contents.id
    contents.name = run.display_name or contents.name
    contents.project = run.project or contents.project
    contents.entity = run.entity or contents.entity
    if contents.started_at_s is None and run.HasField("start_time"):
        contents.started_at_s = _seconds(run.start_time)
    contents.environment_identity.update(os_of(run.telemetry))
    _take_config(contents, run.config, parse)


def _take_environment(contents: RunContents, environment: Any, parse: KeyParser) -> None:
    contents.environment_identity.update(identity_of(environment))
    contents.environment_volatile.update(volatile_of(environment))


def _take_exit(contents: RunContents, ended: Any, parse: KeyParser) -> None:
    contents.exit_code = ended.exit_code
    contents.runtime_s = float(ended.runtime)


_TAKERS = {
    "history": _take_history,
    "summary": _take_summary,
    "config": _take_config,
    "stats": _take_stats,
    "run": _take_run,
    "environment": _take_environment,
    "exit": _take_exit,
}


def _path(item: Any) -> tuple[str, ...]:
    return tuple(item.nested_key) or (item.key,)


def _flat(path: tuple[str, ...]) -> str:
    return path[0] if len(path) == 1 else "/".join(path)


def _value(item: Any) -> object:
    """Return an item's value; newer clients may store numbers as such, and JSON beside them."""
    if item.value_json or not item.DESCRIPTOR.oneofs:
        try:
            return json.loads(item.value_json)
        except ValueError:
            return item.value_json
    kind = item.WhichOneof("value")
    return None if kind in (None, "none") else getattr(item, kind)


def _put(target: dict[str, object], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        inner = target.get(name)
        if not isinstance(inner, dict):
            inner = target[name] = {}
        target = inner
    target[path[-1]] = value


def _seconds(instant: Any) -> float:
    return float(instant.seconds) + float(instant.nanos) * SECONDS_PER_NS
