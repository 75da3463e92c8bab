"""Who and what is running, as far as the trainer, its loggers and Hydra can tell."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.loggers import WandbLogger

from ocr_baseline.layout import BASELINE_FOLDER
from ocr_baseline.measure import environment
from ocr_baseline.model.privacy import config_hash, redact, redact_text

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.records.format import RunJson


def output_folder(trainer: Trainer, output_dir: str | Path | None) -> Path:
    """Return the baseline's folder: the one given, else `baseline/` beside the run's outputs."""
    if output_dir is not None:
        return Path(output_dir)
    return (hydra_output_folder() or Path(trainer.default_root_dir)) / BASELINE_FOLDER


def hydra_output_folder() -> Path | None:
    """Return the output folder of the Hydra job that is running, or None outside of one."""
    if "hydra" not in sys.modules:
        return None
    from hydra.core.hydra_config import HydraConfig

    return Path(HydraConfig.get().runtime.output_dir) if HydraConfig.initialized() else None


def run_identity(trainer: Trainer) -> RunJson:
    """Return the run's id, name, project, entity and URL from its W&B or other logger.

    An address is without credentials.
    """
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            experiment = logger.experiment
            return {
                "id": experiment.id,
                "name": experiment.name,
                "project": experiment.project,
                "entity": experiment.entity or None,
                "url": experiment.url and redact_text(experiment.url),
            }
    folder = hydra_output_folder()
    if folder is not None:
        return {"id": folder.name, "name": f"{folder.parent.name}/{folder.name}"}
    for logger in trainer.loggers:
        return {"id": str(logger.version), "name": f"{logger.name}/{logger.version}"}
    return {}


@dataclass(frozen=True, kw_only=True)
class ConfigPolicy:
    """How much of a run's configuration its records and report hold.

    `shown_keys` are dotted paths of entries that look like secrets and are none.
    """

    include: bool = True
    shown_keys: tuple[str, ...] = ()


def run_config(
    trainer: Trainer, module: LightningModule, policy: ConfigPolicy
) -> tuple[dict[str, Any] | None, str | None]:
    """Return the composed Hydra config, else the hyperparameters, secrets redacted; and its hash.

    The config is None where the policy leaves it out; two runs still compare by its hash. Both are
    None where there is none. Interpolations stay unresolved, so that paths and times of one run do
    not make its configuration differ from the next one's.
    """
    composed = _hydra_config()
    if composed is None:
        composed = {"model": dict(module.hparams)}
        datamodule = getattr(trainer, "datamodule", None)
        if datamodule is not None:
            composed["data"] = dict(datamodule.hparams)
        composed = {name: values for name, values in composed.items() if values}
    config = redact(composed, allowed=policy.shown_keys)
    if not config:
        return None, None
    return config if policy.include else None, config_hash(config)


def _hydra_config() -> dict[str, Any] | None:
    folder = hydra_output_folder()
    if folder is None:
        return None
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    path = folder / (HydraConfig.get().output_subdir or ".hydra") / "config.yaml"
    if not path.is_file():
        return None
    composed = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    return (
        {str(key): value for key, value in composed.items()} if isinstance(composed, dict) else None
    )


def environment_identity(trainer: Trainer) -> dict[str, Any]:
    """Return what decides whether two runs compare: machine, software, set-up of the trainer."""
    known = environment.identity() | trainer_identity(trainer) | loader_identity(trainer)
    return redact(known)


def trainer_identity(trainer: Trainer) -> dict[str, Any]:
    """Return what of the trainer's set-up decides whether two runs compare."""
    return {
        "accelerator": trainer.accelerator.__class__.__name__.removesuffix("Accelerator").lower(),
        "accelerator_name": _accelerator_name(trainer),
        "devices": trainer.num_devices,
        "num_nodes": trainer.num_nodes,
        "world_size": trainer.world_size,
        "strategy": trainer.strategy.__class__.__name__,
        "precision": str(trainer.precision),
        "accumulate_grad_batches": trainer.accumulate_grad_batches,
        "torch_num_threads": torch.get_num_threads(),
    }


def _accelerator_name(trainer: Trainer) -> str | None:
    device = trainer.strategy.root_device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def loader_identity(trainer: Trainer) -> dict[str, Any]:
    """Return the training loader's batch size and workers, where it is a plain DataLoader."""
    loader = trainer.train_dataloader
    if isinstance(loader, torch.utils.data.DataLoader):
        return {
            "batch_size": loader.batch_size,
            "num_workers": loader.num_workers,
            "prefetch_factor": loader.prefetch_factor,
            "persistent_workers": loader.persistent_workers,
        }
    return {}
