"""Who and what is running, as far as the trainer, its loggers and Hydra know."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ocr_baseline.layout import BASELINE_FOLDER
from ocr_baseline.lightning.attach.framework import (
    DISTRIBUTIONS,
    loaded_classes,
    package_of,
    version_of,
)
from ocr_baseline.lightning.run.plain_values import known_text, known_values
from ocr_baseline.measure import environment
from ocr_baseline.model.privacy import config_hash, redact

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.records.format import RunJson


def output_folder(trainer: Trainer, output_dir: str | Path | None) -> Path:
    """Return the baseline's folder: the one given, else `baseline/` next to the run's outputs."""
    if output_dir is not None:
        return Path(output_dir)
    return (hydra_output_folder() or Path(trainer.default_root_dir)) / BASELINE_FOLDER


class OutputFolder:
    """The baseline's folder of a callback, made absolute when it is first asked for.

    The run may change its working folder; a relative path means the one that it began in.

    Attributes:
        last: The folder that was last asked for, None before that.
    """

    def __init__(self, output_dir: str | Path | None) -> None:
        """Take the callback's argument of that name."""
        self._output_dir = output_dir
        self._absolute: dict[Path, Path] = {}
        self.last: Path | None = None

    def of(self, trainer: Trainer) -> Path:
        """Return the folder for this trainer's run."""
        folder = output_folder(trainer, self._output_dir)
        self.last = self._absolute.setdefault(folder, folder.absolute())
        return self.last


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
        if isinstance(logger, loaded_classes("loggers", "WandbLogger")):
            return _wandb_identity(logger)
    folder = hydra_output_folder()
    if folder is not None:
        return {"id": folder.name, "name": f"{folder.parent.name}/{folder.name}"}
    for logger in trainer.loggers:
        version = known_text(lambda: logger.version)  # noqa: B023 - read at once
        name = known_text(lambda: logger.name)  # noqa: B023 - read at once
        return {"id": version, "name": f"{name}/{version}"} if version else {}
    return {}


def _wandb_identity(logger: Any) -> RunJson:
    experiment = logger.experiment
    return {
        "id": known_text(lambda: experiment.id),
        "name": known_text(lambda: experiment.name),
        "project": known_text(lambda: experiment.project),
        "entity": known_text(lambda: experiment.entity or None),
        "url": known_text(lambda: experiment.url or None),
    }


@dataclass(frozen=True, kw_only=True)
class ConfigPolicy:
    """How much of a run's configuration its records and report hold.

    `shown_keys` are dotted paths of entries that look like secrets and aren't.
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
    return redact(_software(trainer) | trainer_identity(trainer) | loader_identity(trainer))


def _software(trainer: Trainer) -> dict[str, object]:
    """Return machine and software; of the framework's two packages, the one that runs."""
    known = environment.identity()
    others = set(DISTRIBUTIONS.values()) - {DISTRIBUTIONS[package_of(trainer)]}
    return {name: value for name, value in known.items() if name not in others} | version_of(
        trainer
    )


def trainer_identity(trainer: Trainer) -> dict[str, Any]:
    """Return what of the trainer's set-up decides whether two runs compare."""
    accelerator = type(trainer.accelerator).__name__.removesuffix("Accelerator").lower()
    return known_values(
        {
            "accelerator": lambda: accelerator,
            "accelerator_name": lambda: _accelerator_name(trainer),
            "devices": lambda: trainer.num_devices,
            "num_nodes": lambda: trainer.num_nodes,
            "world_size": lambda: trainer.world_size,
            "strategy": lambda: type(trainer.strategy).__name__,
            "precision": lambda: str(trainer.precision),
            "accumulate_grad_batches": lambda: trainer.accumulate_grad_batches,
            "torch_num_threads": torch.get_num_threads,
        }
    )


def _accelerator_name(trainer: Trainer) -> str | None:
    device = trainer.strategy.root_device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def loader_identity(trainer: Trainer) -> dict[str, Any]:
    """Return the training loader's batch size and workers, where it is a plain DataLoader."""
    loader = trainer.train_dataloader
    if not isinstance(loader, torch.utils.data.DataLoader):
        return {}
    return known_values(
        {
            "batch_size": lambda: loader.batch_size,
            "num_workers": lambda: loader.num_workers,
            "prefetch_factor": lambda: loader.prefetch_factor,
            "persistent_workers": lambda: loader.persistent_workers,
        }
    )
