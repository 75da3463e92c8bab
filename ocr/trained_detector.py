"""A text detector as a training left it: its configuration, its weights, and pages through both."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import hydra
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ocr.data.transforms import DetectionTransforms
from ocr.lightning_modules.text_detector import TextDetector
from ocr.models.postprocessing import Detection

CONFIG_IN_RUN = Path(".hydra") / "config.yaml"
CHECKPOINTS_IN_RUN = "checkpoints"
# The checkpoint's own folder, the run's, and one more for checkpoints in a folder of their own.
_PARENTS_SEARCHED = 3
# What torch raises for other bytes than a checkpoint's, depending on what they happen to mean.
_NO_PICKLE = (
    AttributeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
# Hydra 1.4 asks which targets a configuration may name: as in `ocr.train`, it is the user's own.
_ANY_TARGET: dict[str, Any] = (
    {}
    if hydra.__version__.startswith("1.3.")
    else {"_execution_whitelist_": hydra.utils.UNSAFE_DISABLE_EXECUTION_CHECKS}  # type: ignore[attr-defined]  # new in 1.4
)


class DetectorError(ValueError):
    """A checkpoint or a configuration that can't be used; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class TrainedDetector:
    """Finds text on pages of any size.

    Args:
        transforms: From a page to the network's input, as in the training's evaluation.
        module: The network with its weights, in evaluation mode.
        checkpoint: Where the weights are from; None for random ones.
    """

    transforms: DetectionTransforms
    module: TextDetector
    checkpoint: Path | None

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Return the text regions of a page (H, W, 3) RGB, in its own pixels, from the top down."""
        pixels, _ = self.transforms.eval(image, [])
        with torch.inference_mode():
            (found,) = self.module.detect(pixels[None])
        height, width = image.shape[:2]
        fitted_height, fitted_width = self.transforms.fitted_size(height, width)
        scale = np.array([width / fitted_width, height / fitted_height], dtype=np.float32)
        edge = np.array([width, height], dtype=np.float32)
        on_page = (
            Detection(np.clip(region.polygon * scale, 0, edge), region.score) for region in found
        )
        # What lies in the padding has no area on the page.
        visible = (region for region in on_page if cv2.contourArea(region.polygon) > 0)
        return sorted(visible, key=lambda region: float(region.polygon[:, 1].min()))


def load_detector(place: Path | None, config: Path | None = None) -> TrainedDetector:
    """Return the detector of a checkpoint.

    Args:
        place: A checkpoint, or the folder of a run, whose newest checkpoint counts; None for
            random weights.
        config: The configuration of the training; None for the one in the checkpoint's run, or
            the application's own where there is no checkpoint.

    Raises:
        DetectorError: There is no checkpoint or no configuration, or they can't be read, or they
            don't belong together.
    """
    checkpoint = None if place is None else _checkpoint_at(place)
    module, transforms = _instantiated(_read_config(config, checkpoint))
    if checkpoint is not None:
        _load_weights(module, checkpoint)
    return TrainedDetector(transforms=transforms, module=module.eval(), checkpoint=checkpoint)


def _checkpoint_at(place: Path) -> Path:
    if place.is_file():
        return place
    if not place.is_dir():
        raise DetectorError(f"{place}: no such checkpoint or folder")
    found = [*place.glob("*.ckpt"), *(place / CHECKPOINTS_IN_RUN).glob("*.ckpt")]
    if not found:
        raise DetectorError(f"{place}: no checkpoint in it or in {CHECKPOINTS_IN_RUN}/")
    return max(found, key=lambda path: path.stat().st_mtime)


def _read_config(config: Path | None, checkpoint: Path | None) -> DictConfig:
    if config is None and checkpoint is None:
        return _default_config()
    if config is None:
        folders = list(cast("Path", checkpoint).absolute().parents)[:_PARENTS_SEARCHED]
        config = next(
            (path for folder in folders if (path := folder / CONFIG_IN_RUN).is_file()), None
        )
        if config is None:
            raise DetectorError(
                f"{checkpoint}: no {CONFIG_IN_RUN} in its run says which model it is of; name one "
                "with --config"
            )
    try:
        loaded = OmegaConf.load(config)
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        raise DetectorError(f"{config}: can't be read: {_first_line(error)}") from error
    if not isinstance(loaded, DictConfig) or not {"model", "data"} <= set(loaded):
        raise DetectorError(f"{config}: has no 'model' and 'data', as a training's has")
    return loaded


def _default_config() -> DictConfig:
    from ocr.train import config_dir

    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train")


def _instantiated(config: DictConfig) -> tuple[TextDetector, DetectionTransforms]:
    # The checkpoint's weights take the place of those that timm would download.
    OmegaConf.update(config, "model.model.pretrained", False, force_add=True)
    try:
        module: Any = hydra.utils.instantiate(config.model, **_ANY_TARGET)
        transforms: Any = hydra.utils.instantiate(config.data.transforms, **_ANY_TARGET)
    except (InstantiationException, OmegaConfBaseException, TypeError, ValueError) as error:
        raise DetectorError(f"the configuration can't be used: {_first_line(error)}") from error
    if not isinstance(module, TextDetector) or not isinstance(transforms, DetectionTransforms):
        raise DetectorError("the configuration isn't that of a text detector")
    return module, transforms


def _load_weights(module: TextDetector, checkpoint: Path) -> None:
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError) as error:
        raise DetectorError(f"{checkpoint}: can't be read: {_first_line(error)}") from error
    except _NO_PICKLE as error:
        # torch's own words advise to run whatever the file holds.
        raise DetectorError(
            f"{checkpoint}: isn't a checkpoint, or holds more than weights"
        ) from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise DetectorError(f"{checkpoint}: isn't a Lightning checkpoint, as it has no state_dict")
    try:
        module.load_state_dict(content["state_dict"])
    except RuntimeError as error:
        raise DetectorError(
            f"{checkpoint}: its weights are of another model than the configuration's; name the "
            "training's own with --config"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
