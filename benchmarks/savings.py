"""What the report says a remedy would save, beside what the remedy then saves.

The receipt pipeline runs in a costly setting and in the remedied one, in turn (A B B A ...), both
with the profiler. A stage's time is the report's; the prediction comes from the costly runs alone.
Figures are medians over the runs. One thread for torch, so that a loader worker has a core.

    python benchmarks/savings.py [--repeats 6] [--remedy TEXT]
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks.estimated_savings import estimate_saving
from benchmarks.receipt_runs import FULL_PAGES, record_training
from benchmarks.tables import Goal, print_table
from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.vocabulary import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ocr_baseline.model.run import Run

GOAL_PERCENT_OF_STAGE = 10.0
EPOCHS = 3
TARGET_MAPS = "ocr.data.target_maps.make_target_maps"
UNCLIP = "ocr.models.postprocessing.offset_box"
BATCH_SCORES = "ocr.lightning_modules.text_detector.TextDetector.log_batch_scores"
HEADER = (
    "remedy",
    "stage",
    "stage s",
    "predicted s",
    "measured s",
    "predicted %",
    "measured %",
    "apart, % of stage",
    "predicted from",
)

_BOTH = (*FULL_PAGES, f"trainer.max_epochs={EPOCHS}", "data.batch_size=4")
_TRAINING = (
    *_BOTH,
    "data.synthetic.train_count=40",
    "data.synthetic.val_count=4",
    "trainer.limit_val_batches=0",
)
# A fit whose epochs are all validation but for one batch.
_VALIDATION = (
    *_BOTH,
    "data.synthetic.train_count=4",
    "data.synthetic.val_count=24",
    "data.num_workers=0",
)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Seconds of the stage, over all its epochs, and where they come from."""

    saving_s: float
    basis: str


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """Two settings of the pipeline; `predict` looks at a run in the first."""

    name: str
    stage: Stage
    shared: Sequence[str]
    costly: Sequence[str]
    remedied: Sequence[str]
    operations: Sequence[str]
    predict: Callable[[Run], Prediction]


@dataclass
class Figures:
    """What the runs of a remedy gave, in seconds."""

    costly_s: list[float] = field(default_factory=list)
    remedied_s: list[float] = field(default_factory=list)
    predicted: list[Prediction] = field(default_factory=list)

    @property
    def stage_s(self) -> float:
        """The stage in the costly setting."""
        return statistics.median(self.costly_s)

    @property
    def measured_s(self) -> float:
        """What the remedy saved."""
        return self.stage_s - statistics.median(self.remedied_s)

    @property
    def predicted_s(self) -> float:
        """What it was said to save."""
        return statistics.median(one.saving_s for one in self.predicted)

    def all_runs(self) -> str:
        """Return every run's seconds, to see how much they vary."""
        series = {
            "costly": self.costly_s,
            "remedied": self.remedied_s,
            "predicted": [one.saving_s for one in self.predicted],
        }
        return ", ".join(
            f"{name} {' '.join(f'{value:.2f}' for value in values)}"
            for name, values in series.items()
        )

    @property
    def apart_percent(self) -> float:
        """How far prediction and measurement are apart, in percent of the stage."""
        return 100.0 * abs(self.predicted_s - self.measured_s) / self.stage_s


def without(
    operation: str, stage: Stage, *, in_first_epoch: bool = True
) -> Callable[[Run], Prediction]:
    """Predict by removing an operation, from every epoch or from all but the first."""

    def predict(run: Run) -> Prediction:
        found = estimate_saving(run, operation, stage)
        if found is None:
            raise RuntimeError(f"{operation} was not timed in {stage.value}")
        if in_first_epoch:
            return Prediction(saving_s=found.saving_s, basis=found.basis)
        return Prediction(
            saving_s=found.saving_s * (EPOCHS - 1) / EPOCHS,
            basis=f"{found.basis}, in all epochs but the first",
        )

    return predict


def finding(finding_id: str) -> Callable[[Run], Prediction]:
    """Predict by the report's finding, which is absent where it would save next to nothing."""

    def predict(run: Run) -> Prediction:
        found = next((one for one in analyze(run).findings if one.id == finding_id), None)
        if found is None or found.estimated_saving_s is None:
            return Prediction(saving_s=0.0, basis=f"no finding {finding_id}")
        return Prediction(
            saving_s=found.estimated_saving_s, basis=f"finding {finding_id}: {found.saving_basis}"
        )

    return predict


def remedies(maps_folder: Path) -> list[Remedy]:
    """Return all remedies; the disk cache lies in a folder."""
    one_worker, two_workers = ("data.num_workers=1",), ("data.num_workers=2",)
    return [
        Remedy(
            name="target maps cached in memory",
            stage=Stage.TRAIN,
            shared=(*_TRAINING, *one_worker),
            costly=(),
            remedied=("data.collate.cache=memory",),
            operations=(TARGET_MAPS,),
            predict=without(TARGET_MAPS, Stage.TRAIN, in_first_epoch=False),
        ),
        Remedy(
            name="target maps cached on disk by an earlier run",
            stage=Stage.TRAIN,
            shared=(*_TRAINING, *one_worker),
            costly=(),
            remedied=("data.collate.cache=disk", f"data.collate.cache_dir='{maps_folder}'"),
            operations=(TARGET_MAPS,),
            predict=without(TARGET_MAPS, Stage.TRAIN),
        ),
        Remedy(
            name="2 loader workers instead of 1",
            stage=Stage.TRAIN,
            shared=_TRAINING,
            costly=one_worker,
            remedied=two_workers,
            operations=(TARGET_MAPS,),
            predict=finding("too-few-workers:train"),
        ),
        Remedy(
            name="analytic unclip instead of pyclipper",
            stage=Stage.VALIDATION,
            shared=_VALIDATION,
            costly=(),
            remedied=("model.postprocessor.unclip=analytic",),
            operations=(UNCLIP,),
            predict=without(UNCLIP, Stage.VALIDATION),
        ),
        Remedy(
            name="metric per epoch instead of per batch",
            stage=Stage.VALIDATION,
            shared=_VALIDATION,
            costly=("model.metric_every=batch",),
            remedied=(),
            operations=(BATCH_SCORES,),
            predict=without(BATCH_SCORES, Stage.VALIDATION),
        ),
        Remedy(
            name="metric per epoch, where the loader is the bottleneck",
            stage=Stage.VALIDATION,
            shared=(*_VALIDATION, *one_worker),
            costly=("model.metric_every=batch",),
            remedied=(),
            operations=(BATCH_SCORES,),
            predict=without(BATCH_SCORES, Stage.VALIDATION),
        ),
    ]


def measure(remedy: Remedy, repeats: int, folder: Path) -> Figures:
    """Run both settings in turn, after one run of each that fills caches and is not counted."""
    figures = Figures()
    for number in range(-1, repeats):
        for is_costly in (True, False) if number % 2 else (False, True):
            changes = remedy.costly if is_costly else remedy.remedied
            run = record_training(folder, (*remedy.shared, *changes), remedy.operations)
            if number < 0:
                continue
            (figures.costly_s if is_costly else figures.remedied_s).append(
                stage_time_s(run, remedy.stage)
            )
            if is_costly:
                figures.predicted.append(remedy.predict(run))
    return figures


def stage_time_s(run: Run, stage: Stage) -> float:
    """Return the stage's total as the report has it."""
    phase = analyze(run).phase(stage.value)
    if phase is None or phase.total_s is None:
        raise RuntimeError(f"the report has no {stage.value}")
    return phase.total_s


def row(remedy: Remedy, figures: Figures) -> tuple[str, ...]:
    """Return a row of the table."""
    return (
        remedy.name,
        remedy.stage.value,
        f"{figures.stage_s:.2f}",
        f"{figures.predicted_s:.2f}",
        f"{figures.measured_s:.2f}",
        f"{100 * figures.predicted_s / figures.stage_s:.1f}",
        f"{100 * figures.measured_s / figures.stage_s:.1f}",
        f"{figures.apart_percent:.1f}",
        figures.predicted[-1].basis,
    )


def main() -> int:
    """Print the table and whether the goal is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--remedy", default="", help="only remedies whose name holds this")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    measured = {}
    with tempfile.TemporaryDirectory() as name:
        for remedy in remedies(Path(name) / "maps"):
            if arguments.remedy in remedy.name:
                measured[remedy.name] = (
                    remedy,
                    measure(remedy, arguments.repeats, Path(name)),
                )
                figures = measured[remedy.name][1]
                print(f"{remedy.name}: {figures.all_runs()}", file=sys.stderr, flush=True)
    print_table(HEADER, [row(*one) for one in measured.values()])
    return Goal.report(
        *(
            Goal(f"{name}: apart, % of the stage", figures.apart_percent, GOAL_PERCENT_OF_STAGE)
            for name, (_, figures) in measured.items()
        )
    )


if __name__ == "__main__":
    sys.exit(main())
