"""The facts at the head of a report: which run, how it ended, where it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.run.verdict import quoted
from ocr_baseline.reports.text import formatting, wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from ocr_baseline.model.document import Baseline

COMMIT_LENGTH = 12
_SOFTWARE = ("python", "torch", "lightning")


def header_facts(baseline: Baseline) -> list[tuple[str, str]]:
    """Return label and text of each known fact; names stand between single backticks.

    The run's name is left to the renderer, which may link it.
    """
    run = baseline.run
    identity = baseline.environment.identity
    facts = [
        ("Run ID", quoted(run.id) if run.id else None),
        ("Status", _status(baseline)),
        ("Started", formatting.instant(run.started_at) if run.started_at else None),
        ("Duration", formatting.duration(run.duration_s) if run.duration_s is not None else None),
        ("Commit", _commit(baseline.environment.volatile)),
        ("Source", wording.SOURCE_NAMES.get(run.source, run.source)),
        ("Hardware", _hardware(identity)),
        ("Software", _software(identity)),
        ("Settings", _settings(identity)),
        ("Generated", _generated(baseline)),
    ]
    return [(label, text) for label, text in facts if text]


def run_place(baseline: Baseline) -> str | None:
    """Return `entity/project` of the run, as far as they are known."""
    return "/".join(part for part in (baseline.run.entity, baseline.run.project) if part) or None


def _status(baseline: Baseline) -> str:
    run = baseline.run
    return f"{run.status}, ended by {quoted(run.ended_by)}" if run.ended_by else run.status


def _commit(volatile: Mapping[str, JsonValue]) -> str | None:
    commit = volatile.get("git_commit")
    if not isinstance(commit, str) or not commit:
        return None
    dirty = ", with uncommitted changes" if volatile.get("git_dirty") is True else ""
    return quoted(commit[:COMMIT_LENGTH]) + dirty


def _hardware(identity: Mapping[str, JsonValue]) -> str | None:
    accelerator = _text(identity, "accelerator_name") or _text(identity, "accelerator")
    if accelerator == "cpu":
        accelerator = None
    cpu = _text(identity, "cpu_model")
    memory = _number(identity, "memory_bytes")
    parts = [
        quoted(accelerator) if accelerator else None,
        quoted(cpu) if cpu else None,
        _counted(_number(identity, "cpu_count"), "CPU", "CPUs"),
        f"{formatting.byte_size(memory)} memory" if memory is not None else None,
    ]
    return _joined(parts)


def _software(identity: Mapping[str, JsonValue]) -> str | None:
    parts = [
        f"{name} {quoted(version)}" for name in _SOFTWARE if (version := _text(identity, name))
    ]
    system = _text(identity, "os")
    return _joined([*parts, quoted(system) if system else None])


def _settings(identity: Mapping[str, JsonValue]) -> str | None:
    precision = _text(identity, "precision")
    batch_size, workers = _number(identity, "batch_size"), _number(identity, "num_workers")
    return _joined(
        [
            f"precision {quoted(precision)}" if precision else None,
            _counted(_number(identity, "devices"), "device", "devices"),
            f"batch size {formatting.count(batch_size)}" if batch_size is not None else None,
            _counted(workers, "loader worker", "loader workers"),
        ]
    )


def _generated(baseline: Baseline) -> str:
    generator = baseline.generator
    moment = formatting.instant(baseline.generated_at)
    return f"{moment} by {quoted(f'{generator.name} {generator.version}')}"


def _text(values: Mapping[str, JsonValue], key: str) -> str | None:
    value = values.get(key)
    return str(value) if value is not None and not isinstance(value, (dict, list)) else None


def _number(values: Mapping[str, JsonValue], key: str) -> float | None:
    value = values.get(key)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _counted(value: float | None, singular: str, plural: str) -> str | None:
    if value is None:
        return None
    return f"{formatting.count(value)} {singular if value == 1 else plural}"


def _joined(parts: list[str | None]) -> str | None:
    return ", ".join(part for part in parts if part) or None
