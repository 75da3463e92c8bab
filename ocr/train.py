"""Train and test a receipt text detector: compose, instantiate, fit, test.

`python -m ocr.train` takes Hydra overrides, for example
`python -m ocr.train data=receipts data.root=DIR trainer.max_epochs=2 callbacks=baseline_report`.
torch and Lightning are imported when training starts, so `--help` and `--cfg job` are quick.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import hydra
from hydra.errors import CompactHydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from lightning import Callback, LightningDataModule, LightningModule, Trainer
    from lightning.pytorch.loggers import Logger

log = logging.getLogger(__name__)

_NO_CHECKPOINT = "There is no checkpoint to test; testing the weights as the fit left them."
_RANDOM_WEIGHTS = (
    "Testing random weights, so the scores mean nothing: nothing was trained and ckpt_path names "
    "no checkpoint. Set ckpt_path=FILE."
)

# What the receipt pipeline imports beyond the dependencies of ocr_baseline.
MODULES_OF_EXTRA_TRAIN = frozenset(
    {
        "PIL",
        "cv2",
        "fontpkg",
        "fontpkg_ibm_plex_mono",
        "pyclipper",
        "shapely",
        "timm",
        "torchvision",
    }
)


class TrainingSetupError(CompactHydraException):
    """Training can't start with this configuration or data.

    Hydra prints the message alone; HYDRA_FULL_ERROR=1 shows the traceback too.
    """


@dataclass(frozen=True, kw_only=True)
class TrainingObjects:
    """Everything a training run needs, instantiated from one configuration."""

    datamodule: LightningDataModule
    model: LightningModule
    callbacks: list[Callback]
    loggers: list[Logger]
    trainer: Trainer


def config_dir() -> Path:
    """Return the folder of the application's configs, beside the package in the checkout."""
    return Path(__file__).resolve().parents[1] / "configs"


def instantiate_group(cfg: DictConfig, group: str) -> list[Any]:
    """Instantiate each entry of a config group, in order; skip entries set to null.

    Args:
        cfg: The composed configuration.
        group: The key of the group, such as "callbacks".

    Raises:
        TrainingSetupError: When the group or one of its entries can't be instantiated.
    """
    entries = cfg.get(group)
    if entries is None:
        return []
    if not isinstance(entries, DictConfig):
        raise TrainingSetupError(
            f"'{group}' is {entries!r}; it must map names to entries with a _target_. "
            f"Choose a config of the group, such as {group}=default"
        )
    objects = []
    for name, entry in entries.items():
        if entry is None:
            continue
        if not isinstance(entry, DictConfig) or "_target_" not in entry:
            raise TrainingSetupError(f"'{group}.{name!s}' has no _target_ to instantiate")
        objects.append(_instantiate(entry, f"{group}.{name!s}"))
    return objects


def _instantiate(entry: DictConfig, key: str, **arguments: object) -> Any:
    """Instantiate an entry of the configuration; an error names the entry.

    Hydra 1.3 wraps what a constructor raises; Hydra 1.4 doesn't.
    """
    try:
        return hydra.utils.instantiate(entry, **arguments)
    except (AttributeError, ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        # Hydra's note has the path of a nested entry; Python 3.10 has no notes.
        where = "\n".join(getattr(error, "__notes__", ())) or f"full_key: {key}"
        raise InstantiationException(f"{type(error).__name__}: {error}\n{where}") from error


def make_training_objects(cfg: DictConfig) -> TrainingObjects:
    """Seed the random generators and instantiate data, model, callbacks, loggers and trainer.

    Raises:
        TrainingSetupError: When a callback or a logger can't be instantiated.
        hydra.errors.InstantiationException: When a constructor refuses its arguments.
    """
    import lightning

    if logging.getLogger().hasHandlers():
        # Lightning's own console handler would print every line of Hydra's log a second time.
        logging.getLogger("lightning").handlers.clear()
    if cfg.seed is not None:
        lightning.seed_everything(cfg.seed, workers=True)
    datamodule = _instantiate(cfg.data, "data")
    model = _instantiate(cfg.model, "model")
    callbacks = instantiate_group(cfg, "callbacks")
    loggers = instantiate_group(cfg, "logger")
    # False, and not an empty list, keeps Lightning from making a logger of its own.
    trainer = _instantiate(cfg.trainer, "trainer", callbacks=callbacks, logger=loggers or False)
    return TrainingObjects(
        datamodule=datamodule, model=model, callbacks=callbacks, loggers=loggers, trainer=trainer
    )


def log_hyperparameters(cfg: DictConfig, objects: TrainingObjects) -> None:
    """Send the composed configuration and the parameter count to every logger."""
    hyperparameters = cast("dict[str, Any]", OmegaConf.to_container(cfg, resolve=True))
    hyperparameters["parameters"] = sum(p.numel() for p in objects.model.parameters())
    for logger in objects.loggers:
        logger.log_hyperparams(hyperparameters)


def fit_and_test(cfg: DictConfig, objects: TrainingObjects) -> dict[str, float]:
    """Run the stages the configuration asks for.

    Testing uses the best checkpoint of this fit if there is one, else `cfg.ckpt_path`, else the
    current weights.

    Returns:
        The last value of every metric the stages logged.

    Raises:
        TrainingSetupError: `cfg.ckpt_path` names a file that isn't there.
    """
    trainer, model, datamodule = objects.trainer, objects.model, objects.datamodule
    metrics: dict[str, float] = {}
    checkpoint = _checkpoint_to_read(cfg.ckpt_path)
    if cfg.train:
        trainer.fit(model, datamodule=datamodule, ckpt_path=checkpoint)
        metrics.update(_last_metrics(trainer))
        checkpoint = best_checkpoint(trainer)
    if cfg.test and not trainer.interrupted:
        if checkpoint is None:
            log.warning(_NO_CHECKPOINT if cfg.train else _RANDOM_WEIGHTS)
        trainer.test(model, datamodule=datamodule, ckpt_path=checkpoint)
        metrics.update(_last_metrics(trainer))
    return metrics


def _checkpoint_to_read(name: str | None) -> str | None:
    """Return what `ckpt_path` names: a file that is there, a URL, or a word of Lightning's."""
    is_file_name = name is not None and name.endswith(".ckpt") and "://" not in name
    if name is not None and is_file_name and not Path(name).is_file():
        raise TrainingSetupError(f"ckpt_path={name}: no such file")
    return name


def best_checkpoint(trainer: Trainer) -> str | None:
    """Return the path of the best checkpoint of this fit; None if none was saved."""
    return getattr(trainer.checkpoint_callback, "best_model_path", "") or None


def _last_metrics(trainer: Trainer) -> dict[str, float]:
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def optimized_value(name: str | None, metrics: dict[str, float]) -> float | None:
    """Return the metric that a sweep compares; None, with a warning, if it wasn't logged."""
    if name is not None and name not in metrics:
        known = ", ".join(sorted(metrics)) or "none"
        log.warning("optimized_metric=%s wasn't logged. Logged metrics: %s", name, known)
    return None if name is None else metrics.get(name)


def print_summary(cfg: DictConfig, objects: TrainingObjects, metrics: dict[str, float]) -> None:
    """Print where the run's files are and the scores of its last validation and test.

    A report that has shown itself when the fit ended isn't named a second time.
    """
    rows = {
        "run": str(cfg.paths.output_dir),
        "best checkpoint": best_checkpoint(objects.trainer),
        "report": _unshown_report(objects),
    }
    rows |= {
        name: f"{metrics[name]:.3f}" for name in ("val/hmean", "test/hmean") if name in metrics
    }
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for name, value in rows.items():
        if value is not None:
            console.print(Text(f"{name:<16}", style="bold").append(value, style="not bold"))


def _unshown_report(objects: TrainingObjects) -> str | None:
    from ocr_baseline import BaselineReportCallback

    for callback in objects.callbacks:
        if isinstance(callback, BaselineReportCallback) and not callback.summary:
            return None if callback.files is None else str(callback.files.first_read)
    return None


def train(cfg: DictConfig) -> dict[str, float]:
    """Train as the composed configuration says.

    Returns:
        The last value of every metric that was logged.

    Raises:
        TrainingSetupError: When the configuration or the data can't be used; the message says why.
    """
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    from ocr.data.errors import AnnotationError
    from ocr_baseline.errors import BaselineError

    try:
        objects = make_training_objects(cfg)
        log_hyperparameters(cfg, objects)
        metrics = fit_and_test(cfg, objects)
    except AnnotationError as error:
        # A DataLoader worker puts its traceback before the message.
        message = str(error).rpartition(f"{AnnotationError.__name__}: ")[2].strip()
        raise TrainingSetupError(message) from error
    except (BaselineError, MisconfigurationException) as error:
        raise TrainingSetupError(str(error)) from error
    except OmegaConfBaseException as error:
        # Hydra prints the message of this cause by itself.
        raise TrainingSetupError("The configuration can't be used.") from error
    except InstantiationException as error:
        module = _missing_module(error)
        if module not in MODULES_OF_EXTRA_TRAIN:
            raise
        raise TrainingSetupError(
            f"The receipt pipeline needs {module}. In the checkout, run: pip install -e '.[train]'"
        ) from error
    if objects.trainer.is_global_zero:
        print_summary(cfg, objects, metrics)
    return metrics


def _missing_module(error: BaseException) -> str | None:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ModuleNotFoundError):
        cause = cause.__cause__ or cause.__context__
    return None if cause is None or cause.name is None else cause.name.split(".")[0]


def _hydra_settings() -> dict[str, Any]:
    """Return the arguments of `hydra.main` that depend on Hydra's version.

    Hydra 1.4 needs no `version_base` but asks which targets a configuration may name. Any is fine
    here: whoever writes the configuration also runs the program.
    """
    if hydra.__version__.startswith("1.3."):
        return {"version_base": "1.3"}
    return {"execution_whitelist": hydra.utils.UNSAFE_DISABLE_EXECUTION_CHECKS}  # type: ignore[attr-defined]  # new in 1.4


@hydra.main(config_path=str(config_dir()), config_name="train", **_hydra_settings())
def main(cfg: DictConfig) -> float | None:
    """Train from the command line; returns the metric that a sweep compares."""
    return optimized_value(cfg.optimized_metric, train(cfg))


if __name__ == "__main__":
    main()
