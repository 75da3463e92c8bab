"""The receipt pipeline with a seed gives the same bits with the callbacks as without them."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import DictConfig

from ocr.train import fit_and_test, make_training_objects

OWN_PREFIX = "performance/"
SMALL = (
    "data.synthetic.train_count=6",
    "data.synthetic.val_count=4",
    "data.synthetic.page.size_px=160",
    "data.transforms.image_size=160",
    "data.batch_size=2",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1",
    "trainer.enable_model_summary=false",
)


@dataclass
class Result:
    """All that a training leaves which a seed decides."""

    weights: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    logged_rows: list[dict[str, str]]
    last_metrics: dict[str, float]
    random_states: tuple[bytes, bytes, str]


def trained(cfg: DictConfig, folder: Path) -> Result:
    objects = make_training_objects(cfg)
    metrics = fit_and_test(cfg, objects)
    return Result(
        weights=objects.model.state_dict(),
        optimizer=objects.trainer.optimizers[0].state_dict(),
        logged_rows=[row for path in folder.rglob("metrics.csv") for row in logged_rows(path)],
        last_metrics={name: metrics[name] for name in metrics if not name.startswith(OWN_PREFIX)},
        random_states=(
            torch.get_rng_state().numpy().tobytes(),
            np.random.get_state()[1].tobytes(),  # type: ignore[index]  # numpy's older form
            str(random.getstate()),
        ),
    )


def logged_rows(path: Path) -> list[dict[str, str]]:
    """What was logged call by call, without what the callbacks logged."""
    with path.open() as file:
        rows = [
            {name: cell for name, cell in row.items() if cell and not name.startswith(OWN_PREFIX)}
            for row in csv.DictReader(file)
        ]
    return [row for row in rows if row.keys() - {"epoch", "step"}]


@pytest.mark.parametrize("workers", [0, 2])
def test_weights_and_metrics_are_the_same_bit_for_bit_with_the_callbacks_and_without(
    compose_app: Callable[..., DictConfig], tmp_path: Path, workers: int
) -> None:
    results = {}
    for callbacks in ("default", "baseline_report"):
        output = tmp_path / callbacks
        cfg = compose_app(
            *SMALL,
            f"paths.output_dir='{output}'",
            f"paths.data_dir='{tmp_path / 'data'}'",
            f"data.num_workers={workers}",
            f"data.persistent_workers={'true' if workers else 'false'}",
            f"callbacks={callbacks}",
        )
        results[callbacks] = trained(cfg, output / "csv")
    alone, measured = results["default"], results["baseline_report"]

    assert (tmp_path / "baseline_report" / "baseline" / "baseline.json").is_file()
    assert measured.weights.keys() == alone.weights.keys()
    for name, weights in alone.weights.items():
        assert measured.weights[name].numpy().tobytes() == weights.numpy().tobytes(), name
    torch.testing.assert_close(measured.optimizer, alone.optimizer, rtol=0, atol=0)
    assert len(alone.logged_rows) > 6, "each step and each stage logged something"
    assert measured.logged_rows == alone.logged_rows
    assert measured.last_metrics == alone.last_metrics
    assert measured.random_states == alone.random_states
