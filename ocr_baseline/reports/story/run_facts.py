"""Which run it is, how it ended, on what and with which settings it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import name_of
from ocr_baseline.sources import find_source
from ocr_baseline.vocabulary import COMMIT_LENGTH

if TYPE_CHECKING:
    from ocr_baseline.model.document import Baseline, KnownEnvironment


def header_facts(baseline: Baseline) -> list[tuple[str, str]]:
    """Return label and text of each known fact; names stand between single backticks.

    The run's name is left to the renderer, which may link it.
    """
    run = baseline.run
    environment = baseline.environment.known
    facts = [
        ("Run ID", quoted(run.id) if run.id else None),
        ("Status", _status(baseline)),
        ("Started", formatting.instant(run.started_at) if run.started_at else None),
        ("Duration", formatting.duration(run.duration_s) if run.duration_s is not None else None),
        ("Commit", _commit(environment)),
        ("Source", find_source(run.source).basis),
        ("Hardware", _hardware(environment)),
        ("Software", _software(environment)),
        ("Settings", _settings(environment)),
        ("Generated", _generated(baseline)),
    ]
    return [(label, text) for label, text in facts if text]


def run_place(baseline: Baseline) -> str | None:
    """Return `entity/project` of the run, as far as they are known."""
    return "/".join(part for part in (baseline.run.entity, baseline.run.project) if part) or None


def _status(baseline: Baseline) -> str:
    run = baseline.run
    return f"{run.status}, ended by {quoted(run.ended_by)}" if run.ended_by else run.status


def _commit(environment: KnownEnvironment) -> str | None:
    if not environment.git_commit:
        return None
    changes = {
        True: ", with uncommitted changes",
        False: "",
        None: ", uncommitted changes unknown",
    }
    return quoted(environment.git_commit[:COMMIT_LENGTH]) + changes[environment.git_dirty]


def _hardware(environment: KnownEnvironment) -> str | None:
    accelerator = environment.accelerator_name or environment.accelerator
    if accelerator == "cpu":
        accelerator = None
    cpu, memory = environment.cpu_model, environment.memory_bytes
    parts = [
        quoted(accelerator) if accelerator else None,
        quoted(cpu) if cpu else None,
        _counted(environment.cpu_count, "CPU", "CPUs"),
        f"{formatting.byte_size(memory)} memory" if memory is not None else None,
    ]
    return _joined(parts)


def _software(environment: KnownEnvironment) -> str | None:
    versions = {
        "python": environment.python,
        "torch": environment.torch,
        "lightning": environment.lightning,
    }
    parts = [f"{name} {quoted(version)}" for name, version in versions.items() if version]
    return _joined([*parts, quoted(environment.os) if environment.os else None])


def _settings(environment: KnownEnvironment) -> str | None:
    precision, batch_size = environment.precision, environment.batch_size
    return _joined(
        [
            f"precision {quoted(precision)}" if precision else None,
            _counted(environment.devices, "device", "devices"),
            f"batch size {formatting.count(batch_size)}" if batch_size is not None else None,
            _counted(environment.num_workers, "loader worker", "loader workers"),
        ]
    )


def _generated(baseline: Baseline) -> str:
    generator = baseline.generator
    moment = formatting.instant(baseline.generated_at)
    return f"{moment} by {quoted(f'{generator.name} {generator.version}')}"


def _counted(value: float | None, singular: str, plural: str) -> str | None:
    if value is None:
        return None
    return f"{formatting.count(value)} {singular if value == 1 else plural}"


def _joined(parts: list[str | None]) -> str | None:
    return ", ".join(part for part in parts if part) or None


def quoted(name: str) -> str:
    """Return a name between single backticks, with any backtick of its own replaced."""
    return f"`{name_of(name.replace('`', chr(39)))}`"
