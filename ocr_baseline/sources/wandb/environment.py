"""The machine and the software of a run, as the W&B client notes them in its own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import SourceError
from ocr_baseline.files import read_bytes
from ocr_baseline.measure.environment import PACKAGES

if TYPE_CHECKING:
    from pathlib import Path

    from ocr_baseline.model.run import JsonValue

REQUIREMENTS = "files/requirements.txt"
"""Beside the `.wandb` file: the packages that were installed when the run began."""

NOT_TOLD = (
    "the W&B client notes machine and packages, not the accelerator that was used, the precision, "
    "the usable processors or the set-up of trainer and loader"
)


def identity_of(environment: Any) -> dict[str, JsonValue]:
    """Return what an `EnvironmentRecord` says of the machine; the client writes several.

    The keys are those of the recorder where the client notes the same. Its processors and GPUs
    are all that the machine has, not those that the run could use: they have keys of their own.
    """
    told: dict[str, JsonValue] = {
        "python": environment.python.rpartition(" ")[2],  # after "CPython"
        "cpu_model": getattr(environment.cpu, "model", None),  # a field of recent clients
        "memory_bytes": environment.memory.total,
        "machine_cpu_count": environment.cpu_count_logical,
        "machine_gpus": [gpu.name for gpu in environment.gpu_nvidia],
    }
    return _without_defaults(told)


def volatile_of(environment: Any) -> dict[str, JsonValue]:
    """Return what an `EnvironmentRecord` says that is worth knowing but not comparing."""
    told: dict[str, JsonValue] = {
        "hostname": environment.host,
        "git_commit": environment.git.commit,
    }
    return _without_defaults(told)


def os_of(telemetry: Any) -> dict[str, JsonValue]:
    """Return the system and its processor, which a `TelemetryRecord` has in lower case."""
    system, _, machine = telemetry.platform.partition("-")
    if not machine:
        return {}
    # Windows is the one whose machines are named in upper case (AMD64).
    return {"os": f"{system.title()} {machine.upper() if system == 'windows' else machine}"}


def packages_of(folder: Path) -> dict[str, JsonValue]:
    """Return the versions of the packages that the recorder names too, by package."""
    try:
        lines = read_bytes(folder / REQUIREMENTS).decode("utf-8", "replace").splitlines()
    except SourceError:
        return {}
    pinned = (line.partition("==") for line in lines)
    versions = {name: version.strip() for name, _, version in pinned}
    return {name: versions[name] for name in PACKAGES if versions.get(name)}


def _without_defaults(told: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Leave out what a message type gives for a field that was never set."""
    return {name: value for name, value in told.items() if value}
