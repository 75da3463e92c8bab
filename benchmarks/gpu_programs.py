"""Programs that are run on the card: the tests marked `gpu`, the receipt detector, two ranks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

import ocr_baseline
from benchmarks.gpu_result import Result
from benchmarks.tables import Goal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.gpu_device import Device

ROOT = Path(__file__).parents[1]
TESTS = ("tests/ocr_baseline/lightning/test_gpu.py",)
PYTEST = (
    "-m",
    "pytest",
    "-q",
    "-m",
    "gpu",
    "--noconftest",
    "-o",
    "addopts=",
    "-p",
    "no:cacheprovider",
)
RECEIPTS = (
    "experiment=demo",
    "trainer.max_epochs=1",
    "callbacks.performance_profiler.count_flops=true",
)
RANKS_TIMEOUT_S = 22
LAST_LINES = 4
TIMED_OUT = 124


def tests(device: Device) -> Result:
    """Run the tests marked `gpu`; conftest.py is left out, which needs more than they do."""
    code, out = _run([sys.executable, *PYTEST, *TESTS], timeout_s=45)
    summary = out.strip().splitlines()[-1] if out.strip() else "nothing was printed"
    has_passed = code == 0 and (
        not device.is_real or ("passed" in summary and "skip" not in summary)
    )
    notes = [] if has_passed else out.strip().splitlines()[-30:]
    return Result(
        header=["tests marked gpu", "summary"],
        rows=[[", ".join(TESTS), summary]],
        goals=[Goal("tests failed or skipped", int(not has_passed), 0)],
        notes=notes,
    )


def receipts(device: Device) -> Result:
    """Train the receipt detector for an epoch and look at its report."""
    with tempfile.TemporaryDirectory() as name:
        overrides = [
            *RECEIPTS,
            f"trainer.accelerator={device.accelerator}",
            f"hydra.run.dir={name}",
        ]
        if not device.is_real:
            overrides += ["trainer.limit_train_batches=6", "trainer.limit_val_batches=2"]
        code, out = _run([sys.executable, "-m", "ocr.train", *overrides], timeout_s=55)
        if code != 0:
            raise RuntimeError("\n".join(out.splitlines()[-20:]))
        baseline = ocr_baseline.read(Path(name))
    rows = []
    for phase in baseline.phases:
        times, on_device = phase.batch_time_s, phase.device
        rows.append(
            [
                phase.name,
                _ms(None if times is None else times.median),
                _ms(None if on_device is None else on_device.batch_time_s.median),
                "not measured" if phase.flops is None else f"{phase.flops.flops_per_s or 0:.3g}",
            ]
        )
    lacks = device.is_real and any(phase.device is None for phase in baseline.phases)
    return Result(
        header=["phase", "median batch, ms", "on the device, ms", "FLOP/s"],
        rows=rows,
        goals=[Goal("phases without the device's own clock", int(lacks), 0)],
        notes=[finding.title for finding in baseline.leading_findings[:5]],
    )


def ranks(device: Device) -> Result:
    """Train in two processes on the one card, as far as the backend lets them."""
    rows, goals = [], []
    for backend in ("gloo", "nccl"):
        if backend == "nccl" and not device.is_real:
            rows.append([backend, "left out of a dry run"])
            continue
        said, is_good = _two_ranks(device, backend)
        rows.append([backend, said])
        if backend == "gloo":
            goals.append(Goal("two ranks by gloo: not as they should be", int(not is_good), 0))
    note = "NCCL takes one rank per card only and says so; what it said stands in the table."
    return Result(header=["backend", "what came of it"], rows=rows, goals=goals, notes=[note])


def _two_ranks(device: Device, backend: str) -> tuple[str, bool]:
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "benchmarks.gpu_ranks", device.accelerator, backend, name]
        code, out = _run(command, timeout_s=RANKS_TIMEOUT_S)
        if code != 0:
            return _cause(out), False
        baseline = ocr_baseline.read(Path(name))
    stages = [f"rank {rank.rank}: {rank.status}" for rank in baseline.ranks]
    phase = baseline.phase("train")
    clock = "no device clock" if phase is None or phase.device is None else phase.device.clock
    is_good = len(stages) == 2 and (not device.is_real or clock != "no device clock")
    return f"{', '.join(stages)}; {clock}", is_good


def _cause(out: str) -> str:
    """Return the lines that name an error, the last ones."""
    lines = [line.strip() for line in out.splitlines() if "rror" in line or "uplicate" in line]
    return " / ".join(lines[-LAST_LINES:])[:400] or "it ended without a word"


def _run(command: Sequence[str], timeout_s: float) -> tuple[int, str]:
    """Run a command; after its time is over, end it with all that it has started."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            out, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            for started in psutil.Process(process.pid).children(recursive=True):
                started.kill()
            process.kill()
            out, _ = process.communicate()
            return TIMED_OUT, f"{out}\nError: stopped after {timeout_s:.0f} s"
    return process.returncode, out


def _ms(seconds: float | None) -> str:
    return "not measured" if seconds is None else f"{1e3 * seconds:.2f}"
