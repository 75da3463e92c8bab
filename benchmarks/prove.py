"""What `ocr-baseline prove` recommends, beside the best of an exhaustive trial.

Ten trainings, most with a setting that costs time. Each setting of a grid is tried with the whole
training, in turns; the fastest of its turns counts, because other programs only ever slow a run.
`prove` has the training's records alone. Where both end with different settings, these two run
against each other once more. All of a training's trials are in one process: what is compared is
the time of the trainings, and starting one in a process of its own takes the same for both. The
next training has another process: where one has computed in several threads, loader workers that
are forked later hang as they compute in several (libgomp). `prove` tries a setting three times,
and so the exhaustive trial counts three times.

A result is kept in a file, so that cases can be run one by one; one that is there isn't run again.

    python -m benchmarks.prove [--case TEXT] [--into FOLDER] [--turns 2]
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import warnings
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.prove_training import CASES, train
from benchmarks.tables import Goal, print_table
from ocr_baseline import PerformanceProfilerCallback
from ocr_baseline.analysis.analyze import measure
from ocr_baseline.cli.prove import DEFAULT_SECONDS, DEFAULT_TURNS
from ocr_baseline.layout import BASELINE_FOLDER, TRIAL_VARIABLE
from ocr_baseline.prove.candidates import name_of
from ocr_baseline.prove.planning import plans_of
from ocr_baseline.prove.proof import proof_of
from ocr_baseline.prove.report import proof_document
from ocr_baseline.prove.shape import STAGES
from ocr_baseline.prove.trying import Plan, Trying
from ocr_baseline.records.reader import load
from ocr_baseline.trials.arms import Arm, Trial, turns
from ocr_baseline.unchanged_script.set_trainer import SetTrainer
from ocr_baseline.unchanged_script.settings import (
    LoaderSettings,
    Settings,
    TrainerSettings,
    trial,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

AS_IT_IS = "as-it-is"
WITHIN = 0.05
OF_STAGE = 0.10
HEADER = (
    "training",
    "as it is s",
    "best of the grid",
    "s",
    "recommended",
    "s",
    "worse than best",
    "of the exhaustive time",
    "predictions within 10%",
)


def _loader_grid(counts: Sequence[int], **more: Any) -> list[Settings]:
    """Return numbers of workers, each with workers that stay and that don't."""
    return [
        Settings(train=LoaderSettings(num_workers=count, persistent_workers=stays or None, **more))
        for count, stays in product(counts, (False, True))
        if count or not stays
    ]


_LOADERS = [*_loader_grid((0, 1, 2, 3, 4, 8)), *_loader_grid((1, 2), prefetch_factor=8)]
_THREADS = [
    Settings(train=LoaderSettings(num_workers=count, worker_threads=threads))
    for count, threads in product((1, 2), (1, 2, 4))
]
GRIDS: dict[str, list[Settings]] = {
    "validation in batches of one": [
        Settings(validation=LoaderSettings(batch_size=size, num_workers=workers))
        for size, workers in product((2, 4, 8, 16, 32, 64), (None, 1))
    ],
    "too many threads": [*_loader_grid((0, 1, 2, 4)), *_THREADS],
    "frequent checkpoints": [
        *(Settings(trainer=TrainerSettings(checkpoint_interval_times=n)) for n in (2, 4, 6, 8, 10)),
        *_loader_grid((1, 2, 4)),
    ],
}
"""What is tried of a training beside itself; of the others, `_LOADERS`."""


def run_s(folder: Path) -> float:
    """Return what training and validation took by the records in a folder."""
    times = measure(load(folder)).times
    return sum(times[stage].total_s for stage in STAGES if stage in times)


class InThisProcess:
    """Makes runs as `in_turns` does, one after the other in this process.

    Attributes:
        took_s: What all of them took, those to warm up included.
    """

    def __init__(self, case: str) -> None:
        """Run a case."""
        self._case = case
        self.took_s = 0.0

    def __call__(
        self, arms: Sequence[Arm], repeats: int, into: Path, *, warm_ups: int = 1, **_: object
    ) -> list[Trial]:
        """Return all runs but those to warm up."""
        found = []
        for turn in turns(arms, repeats, warm_ups):
            took_s = self._run(turn.arm, into / turn.name)
            self.took_s += took_s
            made = Trial(
                arm=turn.arm.name,
                number=turn.number,
                folder=into / turn.name,
                took_s=took_s,
                canary_s=0.0,
            )
            found += [] if turn.is_warm_up else [made]
        return found

    def _run(self, arm: Arm, folder: Path) -> float:
        folder.mkdir(parents=True)
        asked = trial({**arm.environment, TRIAL_VARIABLE: str(folder)})
        profiler = PerformanceProfilerCallback(output_dir=folder / BASELINE_FOLDER, sampling_hz=0)
        train(self._case, [profiler] if asked is None else [SetTrainer(asked), profiler])
        return run_s(folder)


def try_all(case: str, grid: Sequence[Settings], repeats: int) -> dict[str, float]:
    """Return what the whole training takes with each setting, the fastest of its turns."""
    arms = [Arm(name_of(one) or AS_IT_IS, [], one.environment()) for one in grid]
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for one in InThisProcess(case)(arms, repeats, Path(name)):
            found.setdefault(one.arm, []).append(one.took_s)
    return {name: min(values) for name, values in found.items()}


def prove(case: str) -> tuple[dict[str, Any], float]:
    """Return what `prove` finds by the records of a case, and how long its trials train."""
    with tempfile.TemporaryDirectory() as name:
        record = Path(name, "record")
        train(case, [PerformanceProfilerCallback(output_dir=record)])
        plans, runner = plans_of(load(record), DEFAULT_SECONDS), InThisProcess(case)
        if not plans.candidates:
            return {"outcomes": [], "best": None}, 0.0
        plan = Plan(
            command=[],
            candidates=plans.candidates,
            shapes=plans.shapes,
            limits=plans.limits,
            turns=DEFAULT_TURNS,
        )
        tried = Trying(plan, Path(name, "trials"), runner).run()
        return proof_document(proof_of(tried, plans.not_tried), plans.limits, []), runner.took_s


def measure_case(name: str, repeats: int) -> dict[str, Any]:
    """Return the figures of a case."""
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    train(name)  # to warm up
    proof, prove_s = prove(name)
    grid = [Settings(), *GRIDS.get(name, _LOADERS)]
    runs_s = try_all(name, grid, repeats)
    best = min(runs_s, key=lambda one: runs_s[one])
    wanted = _settings(proof)
    chosen = name_of(wanted) or AS_IT_IS
    final_s = runs_s
    if chosen != best:
        again = [next(one for one in grid if (name_of(one) or AS_IT_IS) == best), wanted]
        final_s = try_all(name, again, repeats + 1)
    return {
        "as_it_is_s": runs_s[AS_IT_IS],
        "grid_s": runs_s,
        "best": best,
        "best_s": final_s[best],
        "chosen": chosen,
        "chosen_s": final_s[chosen],
        "prove_s": prove_s,
        "exhaustive_s": DEFAULT_TURNS * sum(runs_s.values()),
        "proof": proof,
    }


def _settings(proof: dict[str, Any]) -> Settings:
    """Return the setting that was recommended: that of the run as it is, where none was."""
    given = proof["best"]["settings"] if proof["best"] else {}

    def part(name: str) -> dict[str, Any]:
        return {
            key.partition(".")[2]: value for key, value in given.items() if key.startswith(name)
        }

    return Settings(
        train=LoaderSettings(**part("train.")),
        validation=LoaderSettings(**part("validation.")),
        trainer=TrainerSettings(**part("trainer.")),
    )


def predictions(found: dict[str, Any]) -> list[bool]:
    """Return of each prediction that was measured whether it was within 10% of the stage."""
    return [
        abs(one["predicted_saving_s"]["value"] - one["measured_saving_s"]["value"])
        <= OF_STAGE * one["phase_s"]
        for one in found["proof"]["outcomes"]
        if one["predicted_saving_s"] is not None and one["measured_saving_s"] is not None
    ]


def row(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    """Return a row of the table."""
    held = predictions(found)
    return (
        name,
        f"{found['as_it_is_s']:.2f}",
        found["best"],
        f"{found['best_s']:.2f}",
        found["chosen"],
        f"{found['chosen_s']:.2f}",
        f"{100 * worse(found):.1f}%",
        f"{100 * found['prove_s'] / found['exhaustive_s']:.0f}%",
        f"{sum(held)} of {len(held)}",
    )


def worse(found: dict[str, Any]) -> float:
    """Return how much longer than the best the recommended setting takes; 0 where it is shorter."""
    return max(float(found["chosen_s"]) / float(found["best_s"]) - 1, 0.0)


def main() -> int:
    """Measure what isn't there yet, and print the table and the goals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--case", default="", help="only trainings whose name holds this")
    parser.add_argument("--into", type=Path, default=Path("build/benchmarks/prove"))
    parser.add_argument("--turns", type=int, default=2, help="of each setting of a grid")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        name, file = arguments.measure
        found = measure_case(name, arguments.turns)
        Path(file).write_text(json.dumps(found, indent=2))
        return 0
    folder = arguments.into.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    measured = {}
    for name in CASES:
        file = folder / f"{name}.json"
        if arguments.case in name and not file.exists():
            turns = str(arguments.turns)
            alone = [sys.executable, "-m", "benchmarks.prove", "--measure", name, str(file)]
            subprocess.run([*alone, "--turns", turns], check=True)
        if file.exists():
            measured[name] = json.loads(file.read_text())
    print_table(HEADER, [row(*one) for one in measured.items()])
    held = [one for found in measured.values() for one in predictions(found)]
    far = sum(worse(found) > WITHIN for found in measured.values())
    prove_s = sum(found["prove_s"] for found in measured.values())
    exhaustive_s = sum(found["exhaustive_s"] for found in measured.values())
    return Goal.report(
        Goal("trainings whose recommended setting is over 5% worse than the best", far, 1),
        Goal("time of prove, % of the exhaustive trials", 100 * prove_s / exhaustive_s, 100 / 3),
        Goal("predictions over 10% of the stage away, %", 100 - 100 * sum(held) / len(held), 20),
    )


if __name__ == "__main__":
    sys.exit(main())
