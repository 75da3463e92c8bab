"""What `ocr-baseline prove` recommends, beside the best of an exhaustive trial.

Ten trainings, most with a setting that costs time. Each setting of a grid is tried with the whole
training, in turns, all in one process; the fastest of its turns counts, because other programs only
ever slow a run. `prove` has the training's records alone. Where both end with different settings,
these two run against each other once more.

The time of the exhaustive trial is what `prove` would take for it: each setting of the grid as
often as `prove` tries one, in a process of its own, whose start takes what it takes in `prove`'s
trials. A result is kept in a file, so that cases can be run one by one; one that is there isn't run
again.

    python -m benchmarks.prove [--case TEXT] [--into FOLDER] [--turns 2] [--wait 120]
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
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
from ocr_baseline.cli.prove import DEFAULT_TURNS
from ocr_baseline.prove.candidates import name_of
from ocr_baseline.prove.shape import STAGES
from ocr_baseline.records.reader import load
from ocr_baseline.unchanged_script.set_trainer import SetTrainer
from ocr_baseline.unchanged_script.settings import (
    LoaderSettings,
    Settings,
    TrainerSettings,
    Trial,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(__file__).with_name("prove_training.py")
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


def try_all(case: str, grid: Sequence[Settings], turns: int) -> dict[str, float]:
    """Return what the whole training takes with each setting, the fastest of its turns."""
    found: dict[str, list[float]] = {}
    for turn in range(turns):
        for settings in grid if turn % 2 == 0 else reversed(grid):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                trial = Trial(settings=settings, folder=folder)
                profiler = PerformanceProfilerCallback(output_dir=folder, sampling_hz=0)
                train(case, [SetTrainer(trial), profiler])
                found.setdefault(name_of(settings) or AS_IT_IS, []).append(run_s(folder))
    return {name: min(values) for name, values in found.items()}


def prove(record: Path, folder: Path, wait_s: float) -> dict[str, Any]:
    """Return what `ocr-baseline prove` finds; its trials are kept in a folder."""
    program = [sys.executable, "-m", "ocr_baseline.cli", "prove", str(record), "--json"]
    options = ["--wait", str(wait_s), "--output-dir", str(folder)]
    done = subprocess.run([*program, *options], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def times_of_trials(folder: Path) -> tuple[float, float]:
    """Return what all of `prove`'s trials took, and what the start and end of one takes."""
    took_s, beside_s = [], []
    for file in folder.glob("round-*/trials.json"):
        for trial in json.loads(file.read_text())["runs"]:
            took_s.append(trial["took_s"])
            beside_s.append(trial["took_s"] - run_s(file.parent / trial["folder"]))
    return sum(took_s), statistics.fmean(beside_s) if beside_s else 0.0


def measure_case(name: str, turns: int, folder: Path, wait_s: float) -> dict[str, Any]:
    """Return the figures of a case."""
    command = [sys.executable, str(SCRIPT), name]
    record = folder / "record"
    program = [sys.executable, "-m", "ocr_baseline.cli", "run", "--output-dir", str(record)]
    subprocess.run([*program, "--", *command], check=True, stdout=subprocess.DEVNULL)
    proof = prove(record, folder / "trials", wait_s)
    prove_s, beside_s = times_of_trials(folder / "trials")
    grid = [Settings(), *GRIDS.get(name, _LOADERS)]
    train(name)  # to warm up
    runs_s = try_all(name, grid, turns)
    best = min(runs_s, key=lambda one: runs_s[one])
    wanted = _settings(proof)
    chosen = name_of(wanted) or AS_IT_IS
    final_s = runs_s
    if chosen != best:
        again = [next(one for one in grid if (name_of(one) or AS_IT_IS) == best), wanted]
        final_s = try_all(name, again, turns + 1)
    return {
        "as_it_is_s": runs_s[AS_IT_IS],
        "grid_s": runs_s,
        "best": best,
        "best_s": final_s[best],
        "chosen": chosen,
        "chosen_s": final_s[chosen],
        "prove_s": prove_s,
        "exhaustive_s": DEFAULT_TURNS * sum(one + beside_s for one in runs_s.values()),
        "proof": proof,
    }


def _settings(proof: dict[str, Any]) -> Settings:
    """Return the setting that was recommended: that of the run as it is, where none was."""
    given = proof["best"]["settings"] if proof.get("best") else {}

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
        for one in found["proof"].get("outcomes", [])
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
    parser.add_argument("--wait", type=float, default=120.0, help="for a free machine, at most")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    folder = arguments.into.absolute()
    measured = {}
    for name in CASES:
        file = folder / f"{name}.json"
        if arguments.case in name and not file.exists():
            found = measure_case(name, arguments.turns, folder / name, arguments.wait)
            file.write_text(json.dumps(found, indent=2))
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
