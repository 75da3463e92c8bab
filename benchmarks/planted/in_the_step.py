"""Causes in the module: its steps, metrics, losses, hooks."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import torch
from torch import nn
from torchmetrics import Metric

from benchmarks.planted.case import planted
from benchmarks.planted.costly_work import (
    connected_regions,
    draw_figure,
    edit_distance,
    pad_ragged,
    random_text,
    salt_and_pepper,
)
from benchmarks.planted.training import Classifier, Training, loader


class WordErrors(Metric):
    """The mean edit distance of words."""

    total: torch.Tensor

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, seed: int) -> None:
        """Add the words of a batch."""
        for word in range(8):
            self.total += edit_distance(random_text(seed + word, 60), random_text(word, 60))

    def compute(self) -> torch.Tensor:
        """Return the sum."""
        return self.total


class ScoredSteps(Classifier):
    """Scores words in each validation step."""

    def __init__(self) -> None:
        """Hold the metric."""
        super().__init__()
        self.words = WordErrors()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Update the metric as well."""
        super().validation_step(batch, batch_idx)
        self.words.update(batch_idx)


@planted(
    "a Python metric in the validation step", "WordErrors", "edit_distance", phase="validation"
)
def _metric_in_the_step(is_planted: bool) -> Training:
    return Training(module=ScoredSteps() if is_planted else Classifier())


class ScoredEpochs(Classifier):
    """Scores all words at the end of the epoch."""

    def on_validation_epoch_end(self) -> None:
        """Score them."""
        for word in range(400):
            edit_distance(random_text(word, 60), random_text(word + 1, 60))


@planted(
    "a Python metric at the epoch's end",
    "on_validation_epoch_end",
    "edit_distance",
    phase="validation",
)
def _metric_at_the_end(is_planted: bool) -> Training:
    return Training(module=ScoredEpochs() if is_planted else Classifier())


class DrawnSteps(Classifier):
    """Draws a figure for the logger in each validation step."""

    def log_figure(self, labels: torch.Tensor) -> None:
        """Draw a bar for each label."""
        draw_figure(labels.tolist())

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Draw as well."""
        super().validation_step(batch, batch_idx)
        self.log_figure(batch[1])


@planted("figures drawn in the step", "log_figure", "draw_figure", phase="validation")
def _figures_in_the_step(is_planted: bool) -> Training:
    return Training(module=DrawnSteps() if is_planted else Classifier())


class DrawnEpochs(Classifier):
    """Draws figures at the end of each validation."""

    def on_validation_epoch_end(self) -> None:
        """Draw them."""
        for figure in range(30):
            draw_figure([float(figure)] * 8)


@planted(
    "figures drawn at the epoch's end", "on_validation_epoch_end", "draw_figure", phase="validation"
)
def _figures_at_the_end(is_planted: bool) -> Training:
    return Training(module=DrawnEpochs() if is_planted else Classifier())


class CountsRegions(Classifier):
    """Post-processes each map in Python."""

    def boxes_of(self, images: torch.Tensor) -> list[int]:
        """Count the regions of each image."""
        return [connected_regions(image[0].numpy() > 0.5) for image in images]

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Count as well."""
        super().validation_step(batch, batch_idx)
        self.boxes_of(batch[0][:6])


@planted("post-processing inside the step", "boxes_of", "connected_regions", phase="validation")
def _post_processing(is_planted: bool) -> Training:
    return Training(module=CountsRegions() if is_planted else Classifier())


class MatchedLoss(nn.Module):
    """A loss that first matches words in Python."""

    def match_words(self, count: int) -> int:
        """Match so many pairs."""
        return sum(edit_distance(random_text(i, 60), random_text(i + 2, 60)) for i in range(count))

    def forward(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the cross entropy, shape ()."""
        self.match_words(8)
        return nn.functional.cross_entropy(scores, labels)


class MatchingClassifier(Classifier):
    """Trains with that loss."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss."""
        images, labels = batch
        loss: torch.Tensor = self.matched(self(images), labels)
        return loss

    def __init__(self) -> None:
        """Hold the loss."""
        super().__init__()
        self.matched = MatchedLoss()


@planted("a loss that matches in Python", "match_words", "MatchedLoss", "edit_distance")
def _loss_in_python(is_planted: bool) -> Training:
    return Training(module=MatchingClassifier() if is_planted else Classifier())


class AugmentsOnDevice(Classifier):
    """Augments each batch after its transfer."""

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Return the batch with speckles."""
        images, labels = batch
        if self.trainer.training:
            images = torch.stack([salt_and_pepper(image, 60) for image in images])
        return images, labels


@planted("augmentation after the transfer", "on_after_batch_transfer", "salt_and_pepper")
def _augmentation_after_transfer(is_planted: bool) -> Training:
    return Training(module=AugmentsOnDevice() if is_planted else Classifier())


class ClipsByHand(Classifier):
    """Clips gradients value by value."""

    def configure_gradient_clipping(self, *args: Any, **kwargs: Any) -> None:
        """Look at every parameter in Python."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                values = parameter.grad.flatten().tolist()[:4000]
                max(abs(value) for value in values)
                pad_ragged([values[:40]] * 10, 400)


@planted("gradients clipped by hand", "configure_gradient_clipping", "pad_ragged")
def _clipping_by_hand(is_planted: bool) -> Training:
    return Training(module=ClipsByHand() if is_planted else Classifier())


class RebuildsIndex(Classifier):
    """Builds an index of texts before each training epoch."""

    def on_train_epoch_start(self) -> None:
        """Build it."""
        for word in range(400):
            edit_distance(random_text(word, 60), random_text(word + 1, 60))


@planted("an index built before each epoch", "on_train_epoch_start", "edit_distance")
def _index_before_each_epoch(is_planted: bool) -> Training:
    return Training(module=RebuildsIndex() if is_planted else Classifier())


class LogsEverything(Classifier):
    """Logs the norm of each of many slices in each step."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss."""
        loss = super().training_step(batch, batch_idx)
        for position in range(150):
            self.log(f"slice/{position}", loss.detach())
        return loss


@planted("a hundred and fifty metrics logged a step", "log")
def _too_many_metrics(is_planted: bool) -> Training:
    module = LogsEverything() if is_planted else Classifier()
    return Training(module=module, train=loader(480))


class MakesGarbage(Classifier):
    """Collects garbage by hand in each step, as recipes against memory growth do."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss."""
        loss = super().training_step(batch, batch_idx)
        gc.collect()
        return loss


@planted("garbage collected by hand in each step", "gc.collect", "garbage", "MakesGarbage")
def _garbage_by_hand(is_planted: bool) -> Training:
    module = MakesGarbage() if is_planted else Classifier()
    return Training(module=module, train=loader(240))


class SortsInItsStep(Classifier):
    """Ranks the pixels of a batch in the lines of the step itself."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss."""
        loss = super().training_step(batch, batch_idx)
        values = batch[0][:2].flatten().tolist()
        order = sorted(range(len(values)), key=values.__getitem__)
        ranks = [0.0] * len(values)
        for rank, position in enumerate(order):
            ranks[position] = rank / len(values)
        self.spread = max(ranks) - sum(ranks) / len(ranks)
        return loss


@planted("sorting that stands in the step", "SortsInItsStep.training_step")
def _sorting_in_the_step(is_planted: bool) -> Training:
    return Training(module=SortsInItsStep() if is_planted else Classifier())


class DetachesToLists(Classifier):
    """Keeps every score of the training as Python numbers."""

    def __init__(self) -> None:
        """Hold none yet."""
        super().__init__()
        self.kept: list[Any] = []

    def keep_outputs(self, images: torch.Tensor) -> None:
        """Keep the pixels' histogram, value by value."""
        counts = [0] * 256
        for value in (images[:1] * 255).int().flatten().tolist():
            counts[value] += 1
        self.kept.append(np.asarray(counts))

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """Return the loss."""
        self.keep_outputs(batch[0])
        self.keep_outputs(batch[0])
        self.keep_outputs(batch[0])
        return super().training_step(batch, batch_idx)


@planted("statistics of each batch, value by value", "keep_outputs")
def _statistics_in_python(is_planted: bool) -> Training:
    return Training(module=DetachesToLists() if is_planted else Classifier())
