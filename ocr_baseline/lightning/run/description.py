"""Who and what is running, as far as the trainer, its loggers and Hydra know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from ocr_baseline.files import working_folder
from ocr_baseline.lightning.attach.framework import (
    DISTRIBUTIONS,
    loaded_classes,
    package_of,
    version_of,
)
from ocr_baseline.lightning.attach.guest_callback import GuestCallback
from ocr_baseline.lightning.attach.trainer_parts import callbacks_of
from ocr_baseline.measure import environment
from ocr_baseline.measure.random_state import unchanged_random_state
from ocr_baseline.model.privacy import redact
from ocr_baseline.recording.default_folder import default_folder, named_folder
from ocr_baseline.recording.hydra_job import hydra_config, hydra_output_folder
from ocr_baseline.recording.loader_identity import loader_identity
from ocr_baseline.recording.plain_values import known_text, known_values
from ocr_baseline.recording.started_by import started_by
from ocr_baseline.sources.source import has_begun

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from ocr_baseline.recording.config_policy import ConfigPolicy
    from ocr_baseline.records.format import HeaderFields, RunJson


def output_folder(trainer: Trainer, output_dir: str | Path | None) -> Path:
    """Return the baseline's folder: the one given, else `baseline/` next to the run's outputs."""
    if output_dir is not None:
        return Path(output_dir)
    return default_folder(_local_root(trainer.default_root_dir))


def _local_root(root: str) -> Path:
    """Return a trainer's root folder; the working folder where that is at another address."""
    if root.startswith("file:/"):  # Lightning leaves one slash of them
        return Path(root.removeprefix("file:"))
    return Path() if "://" in root else Path(root)


class OutputFolder:
    """The baseline's folder of a callback, made absolute when it is first asked for.

    The run may change its working folder; a relative path means the one that it began in.

    Attributes:
        last: The folder that was last asked for, None before that.
    """

    _of_all: ClassVar[Path | None] = None

    def __init__(self, output_dir: str | Path | None) -> None:
        """Take the callback's argument of that name.

        Raises:
            ValueError: It is no folder on this machine.
        """
        self._output_dir = named_folder(output_dir)
        self._beside: str | Path | None = None
        self._absolute: dict[Path, Path] = {}
        self._instead: dict[Path, Path] = {}
        self.last: Path | None = None

    @classmethod
    def put_all_in(cls, folder: Path) -> None:
        """Let every run of this process have its baseline there, whatever its callbacks say."""
        cls._of_all = folder

    def of(self, trainer: Trainer) -> Path:
        """Return the folder for this trainer's run."""
        folder = self._of_all or output_folder(trainer, self._named(trainer))
        asked = self._absolute.setdefault(folder, folder.absolute())
        self.last = self._instead.get(asked, asked)
        return self.last

    def _named(self, trainer: Trainer) -> str | Path | None:
        """Return the folder that this callback was given, else the one that another of ours was.

        A tuner may have put the callbacks aside meanwhile.
        """
        if self._output_dir is not None:
            return self._output_dir
        ours = [one for one in callbacks_of(trainer) if isinstance(one, GuestCallback)]
        if ours:
            given = (one.output_dir for one in ours)
            self._beside = next((folder for folder in given if folder is not None), None)
        return self._beside

    def move(self, asked: Path, folder: Path) -> None:
        """Use another folder instead of `asked` from now on, which another run has."""
        self._instead[asked] = self.last = folder

    def follow(self, other: OutputFolder) -> None:
        """Use the folders that another callback of the run has to use instead of its own."""
        self._instead.update(other._instead)


def header_of(trainer: Trainer, module: LightningModule, policy: ConfigPolicy) -> HeaderFields:
    """Return which run this is, where and with what; nothing on ranks above 0.

    Their loggers are dummies, and rank 0 writes the report. What the configuration's secrets are,
    each rank's records must know.
    """
    with unchanged_random_state():  # as short as can be: a thread of the user's may draw meanwhile
        config, config_hash = run_config(trainer, module, policy)
        if not trainer.is_global_zero:
            return {}
        run, identity = run_identity(trainer), environment_identity(trainer)
    return {
        "run": run,
        "environment": {
            "identity": identity,
            "volatile": environment.volatile(working_folder()) | started_by(),
        },
        "config": config,
        "config_hash": config_hash,
        "include_config": policy.include,
    }


def run_identity(trainer: Trainer) -> RunJson:
    """Return the run's id, name, project, entity and URL from its W&B or other logger.

    An address is without credentials.
    """
    for logger in trainer.loggers:
        if isinstance(logger, loaded_classes("loggers", "WandbLogger")) and has_begun(logger):
            return _wandb_identity(logger)
    folder = hydra_output_folder()
    if folder is not None:
        return {"id": folder.name, "name": f"{folder.parent.name}/{folder.name}"}
    for logger in trainer.loggers:
        version = known_text(lambda: logger.version)  # noqa: B023 - read at once
        name = known_text(lambda: logger.name)  # noqa: B023 - read at once
        last = f"version_{version}" if version and version.isdigit() else version  # Lightning's
        return {"id": version, "name": f"{name}/{last}"} if version else {}
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


def run_config(
    trainer: Trainer, module: LightningModule, policy: ConfigPolicy
) -> tuple[dict[str, Any] | None, str | None]:
    """Return the composed Hydra config, else the hyperparameters, secrets redacted; and its hash.

    The config is None where the policy leaves it out; two runs still compare by its hash. Both are
    None where there is none. Interpolations stay unresolved, so that paths and times of one run do
    not make its configuration differ from the next one's.
    """
    composed = hydra_config()
    given = _hyperparameters(trainer, module)
    if composed is None:
        return policy.kept(given)
    # These hold the values that the configuration only refers to.
    redact(given, allowed=policy.shown_keys)
    return policy.kept(composed)


def _hyperparameters(trainer: Trainer, module: LightningModule) -> dict[str, Any]:
    """Return what module and datamodule have saved; of the user's classes nothing is called."""
    parts = {"model": module, "data": getattr(trainer, "datamodule", None)}
    saved = {name: vars(part).get("_hparams") for name, part in parts.items() if part is not None}
    return {name: values for name, values in saved.items() if values}


def environment_identity(trainer: Trainer) -> dict[str, Any]:
    """Return what decides whether two runs compare: machine, software, set-up of the trainer."""
    return redact(
        _software(trainer) | trainer_identity(trainer) | loader_identity(trainer.train_dataloader)
    )


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
