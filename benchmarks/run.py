"""What `ocr-baseline run` adds to a script, beside the callbacks.

A script without a Trainer, alone and under `run`; a training that names the two callbacks itself,
and the same training without them under `run`. They take turns, a process each. Starting waits for
nothing, so processor time is what it takes on a machine that is idle, and on a busy one too. It
adds the same to a long training, so a short one shows it best.

    python benchmarks/run.py [--rounds 20] [--batches 100]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from benchmarks.tables import Goal, print_table

ROOT = Path(__file__).parents[1]
ADDED_LIMIT_S = 0.2
RATIO_LIMIT = 1.02
RUN = ("-m", "ocr_baseline.cli", "run", "--output-dir", "out", "--", sys.executable)
SCRIPT = """
import sys
import time

if sys.argv[1] == "no-trainer":
    sys.exit()

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

batches = int(sys.argv[2])


class Module(LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(*(torch.nn.Linear(256, 256) for _ in range(8)))

    def training_step(self, batch, batch_idx):
        return self.layers(batch).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)


own = []
if sys.argv[1] == "own":
    from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

    own = [PerformanceProfilerCallback(output_dir="out"), BaselineReportCallback(output_dir="out")]
trainer = Trainer(
    max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False, callbacks=own,
)
began = time.process_time()
trainer.fit(Module(), DataLoader(torch.ones(32 * batches, 256), batch_size=32))
print("fit", time.process_time() - began)
"""
WAYS = {
    "no Trainer, alone": (False, "no-trainer"),
    "no Trainer, under run": (True, "no-trainer"),
    "training with callbacks of its own": (False, "own"),
    "training without, under run": (True, "plain"),
}


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Seconds of one start: on the wall, of processors, and of processors in `fit`."""

    wall_s: float
    processor_s: float
    fit_s: float


def taken(folder: Path, is_under_run: bool, how: str, batches: int) -> Taken:
    """Run the script once."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *(RUN if is_under_run else ()), "script.py", how, str(batches)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    wall_s = time.perf_counter() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("fit ")]
    return Taken(
        wall_s=wall_s,
        processor_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        fit_s=float(told[0]) if told else 0.0,
    )


def measure(rounds: int, batches: int) -> dict[str, list[Taken]]:
    """Run every way in turns; the first round fills the caches and isn't kept."""
    found: dict[str, list[Taken]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
        for number in track(range(rounds + 1), description="rounds"):
            for way in WAYS if number % 2 == 0 else reversed(WAYS):
                one = taken(folder, *WAYS[way], batches)
                if number:
                    found[way].append(one)
    return found


def report(found: dict[str, list[Taken]]) -> int:
    """Print the table and the goals; 1 when one is missed."""
    rows = [
        [
            way,
            f"{statistics.median(one.wall_s for one in all_of):.3f}",
            f"{statistics.median(one.processor_s for one in all_of):.3f}",
            f"{statistics.median(one.fit_s for one in all_of):.3f}" if all_of[0].fit_s else "",
        ]
        for way, all_of in found.items()
    ]
    print_table(["script", "wall s", "processor s", "of it in fit, s"], rows)
    alone, under_run, own, asked = found.values()
    pairs, fits = list(zip(alone, under_run, strict=True)), list(zip(own, asked, strict=True))
    added_s = statistics.median(b.processor_s - a.processor_s for a, b in pairs)
    beside_s = statistics.median(b.processor_s - a.processor_s for a, b in fits)
    ratio = statistics.median(b.fit_s / a.fit_s for a, b in fits)
    return Goal.report(
        Goal("added to a script without a Trainer, processor s", added_s, ADDED_LIMIT_S),
        Goal(
            "added to a training, beside the callbacks, processor s",
            beside_s,
            ADDED_LIMIT_S,
        ),
        Goal("fit under run over fit with callbacks of its own", ratio, RATIO_LIMIT),
    )


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--batches", type=int, default=100)
    arguments = parser.parse_args()
    return report(measure(arguments.rounds, arguments.batches))


if __name__ == "__main__":
    sys.exit(main())
