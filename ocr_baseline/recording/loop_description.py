"""Who and what is running in a loop of the user's own."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from ocr_baseline.files import working_folder
from ocr_baseline.measure import environment
from ocr_baseline.model.privacy import redact
from ocr_baseline.recording.fabric_lines import PACKAGES, loaded_packages, loader_inside
from ocr_baseline.recording.hydra_job import hydra_config
from ocr_baseline.recording.plain_values import known_text

if TYPE_CHECKING:
    from ocr_baseline.recording.loop_settings import LoopSettings
    from ocr_baseline.recording.rank import Rank
    from ocr_baseline.records.format import HeaderFields


def loop_header(settings: LoopSettings, rank: Rank, operations: tuple[str, ...]) -> HeaderFields:
    """Return which run this is, where and with what; little on ranks above 0."""
    header: HeaderFields = {"loop": True, "operations": list(operations)}
    if not rank.is_zero:
        return header
    given = hydra_config() if settings.config is None else settings.config
    config, config_hash = settings.config_policy.kept(given or {})
    header["run"] = {"name": known_text(lambda: settings.name)}
    header["environment"] = {
        "identity": redact(_software() | {"world_size": rank.world_size}),
        "volatile": environment.volatile(working_folder()),
    }
    header["config"] = config
    header["config_hash"] = config_hash
    header["include_config"] = settings.config_policy.include
    return header


def _software() -> dict[str, object]:
    """Return machine and software; of Lightning, the distribution whose Fabric is loaded."""
    known = environment.identity()
    known.pop("lightning", None)
    for package in loaded_packages():
        distribution = PACKAGES[package]
        version = known_text(lambda: metadata.version(distribution))  # noqa: B023 - read at once
        if version is not None:
            known[distribution] = version
    torch = sys.modules.get("torch")
    return known if torch is None else known | {"torch_num_threads": torch.get_num_threads()}


def loop_identity(loader: Any) -> dict[str, Any]:
    """Return what of the training loader decides whether two runs compare."""
    if "torch" not in sys.modules:
        return {}
    from ocr_baseline.recording.loader_identity import loader_identity

    return redact(loader_identity(loader_inside(loader)))
