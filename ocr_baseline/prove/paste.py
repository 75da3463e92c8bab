"""Settings as the lines of code that make them for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocr_baseline.unchanged_script.settings import LoaderSettings, Settings

_WORDS = {"train": "training", "validation": "validation"}


def lines_to_paste(settings: Settings, told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines; `told` has the values that a trial found and set."""
    return [
        *_loader_lines("train", settings.train),
        *_loader_lines("validation", settings.validation),
        *_trainer_lines(settings, told),
    ]


def _loader_lines(phase: str, loader: LoaderSettings) -> Iterator[str]:
    given = loader.given()
    threads = given.pop("worker_threads", None)
    if given:
        arguments = ", ".join(f"{name}={value}" for name, value in given.items())
        yield f"DataLoader(..., {arguments})  # {_WORDS[phase]}"
    if threads is not None:
        yield f"torch.set_num_threads({threads})  # in each worker of the {_WORDS[phase]} loader"


def _trainer_lines(settings: Settings, told: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    trainer = settings.trainer
    if trainer.torch_threads is not None:
        yield f"torch.set_num_threads({trainer.torch_threads})  # in the main process"
    if trainer.logging_interval_times is not None:
        interval = told.get("trainer.logging_interval_times", {}).get("after")
        yield f"Trainer(..., log_every_n_steps={interval})"
    if trainer.checkpoint_interval_times is not None:
        after = told.get("trainer.checkpoint_interval_times", {}).get("after") or {}
        arguments = ", ".join(f"{name}={value}" for name, value in after.items())
        yield f"ModelCheckpoint(..., {arguments})"
