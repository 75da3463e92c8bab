"""Everything that only a card can prove, in eight minutes at most: `make gpu`.

Each part runs in a process of its own with a time of its own; one that fails or takes too long says
so, and the others go on. The outcome is one Markdown and one JSON file. Without a CUDA device it
says so in one line and ends with 2; `--dry` runs the parts on a simulated device, which tries the
code and proves nothing.

    python -m benchmarks.gpu [--markdown gpu.md] [--json gpu.json] [--only PART …] [--dry]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.gpu_result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
BUDGETS_S = {
    "tests": 50,
    "truth": 40,
    "overhead": 100,
    "synchronizations": 30,
    "nvidia-smi": 60,
    "modes": 90,
    "receipts": 60,
    "ranks": 50,
}
"""Seconds that each part may take, eight minutes together, in the order in which they run."""

TITLES = {
    "tests": "The tests marked gpu",
    "truth": "Kernels of a known duration",
    "overhead": "What measuring adds to a batch",
    "synchronizations": "Calls that wait for the device",
    "nvidia-smi": "Utilization and memory against nvidia-smi",
    "modes": "Ways to train",
    "receipts": "The receipt detector, one epoch",
    "ranks": "Two processes on one card",
}
NO_DEVICE = (
    "No CUDA device: torch sees none here, so nothing was measured (docs/gpu.md; --dry tries it)."
)
LAST_LETTERS = 2000


@dataclass(kw_only=True)
class Outcome:
    """What became of a part; `error` is None where it ran to its end."""

    part: str
    duration_s: float
    result: Result | None
    error: str | None = None

    @property
    def verdict(self) -> str:
        """Whether it met its goals, missed one, or failed."""
        if self.result is None:
            return "FAILED"
        return "met" if all(goal.is_met for goal in self.result.goals) else "MISSED"


def run(part: str, device: str) -> Outcome:
    """Run a part in a process of its own, and end that when its time is over."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.gpu_part", part, device, str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=BUDGETS_S[part])
            error = None if process.returncode == 0 else f"ended with {process.returncode}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)  # what it started too
            said, _ = process.communicate()
            error = f"stopped after its {BUDGETS_S[part]} s"
        result = Result.read(path) if error is None and path.exists() else None
    if error is not None:
        error = f"{error}\n{said[-LAST_LETTERS:]}"
    return Outcome(part=part, duration_s=time.monotonic() - began_s, result=result, error=error)


def about(device: str) -> dict[str, str]:
    """Return what was measured on."""
    import torch

    found = {
        "device": "a simulated one: a dry run, which proves nothing",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": metadata.version("lightning"),
        "ocr-baseline": metadata.version("ocr-baseline"),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    if device == "cuda":
        found |= {"device": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda)}
    return found


def markdown(outcomes: Sequence[Outcome], where: dict[str, str]) -> str:
    """Return the report."""
    lines = ["# Measured on a card", ""]
    lines += [f"- {name}: {value}" for name, value in where.items()]
    lines += ["", "| part | verdict | goal | measured | at most | took, s |"]
    lines += ["|---|---|---|--:|--:|--:|"]
    for one in outcomes:
        lines += _summary(one)
    for one in outcomes:
        lines += ["", f"## {TITLES[one.part]}", ""]
        if one.error is not None:
            lines += ["```", *one.error.splitlines(), "```"]
        if one.result is not None:
            lines += _table(one.result)
            lines += [f"\n{note}" for note in one.result.notes]
    return "\n".join(lines) + "\n"


def _summary(outcome: Outcome) -> list[str]:
    took = f"{outcome.duration_s:.0f}"
    if outcome.result is None:
        first = (outcome.error or "").splitlines()[0]
        return [f"| {outcome.part} | FAILED | {first} | | | {took} |"]
    return [
        f"| {outcome.part} | {'met' if goal.is_met else 'MISSED'} | {goal.name} | {goal.value:.3g} "
        f"| {goal.limit:g} | {took} |"
        for goal in outcome.result.goals
    ]


def _table(result: Result) -> list[str]:
    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

    return [row(result.header), row(["---"] * len(result.header)), *map(row, result.rows)]


def main() -> int:
    """Run the parts; return 1 when one failed or missed a goal, 2 without a device."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--markdown", type=Path, default=Path("gpu.md"), help="default gpu.md")
    parser.add_argument("--json", type=Path, default=Path("gpu.json"), help="default gpu.json")
    parser.add_argument("--only", nargs="+", choices=BUDGETS_S, default=list(BUDGETS_S))
    parser.add_argument("--dry", action="store_true", help="on a simulated device: tries the code")
    arguments = parser.parse_args()
    device = "dry" if arguments.dry else "cuda"
    if device == "cuda" and not has_cuda():
        print(NO_DEVICE, file=sys.stderr)
        return 2
    where = about(device)
    outcomes = []
    for part in arguments.only:
        outcomes.append(run(part, device))
        one = outcomes[-1]
        print(f"{part}: {one.verdict} ({one.duration_s:.0f} s)", file=sys.stderr, flush=True)
    for path in (arguments.markdown, arguments.json):
        path.parent.mkdir(parents=True, exist_ok=True)
    arguments.markdown.write_text(markdown(outcomes, where), encoding="utf-8")
    document = {
        "about": where,
        "parts": [asdict(one) | {"verdict": one.verdict} for one in outcomes],
    }
    arguments.json.write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(f"{arguments.markdown} and {arguments.json} hold the figures.", file=sys.stderr)
    return int(any(one.verdict != "met" for one in outcomes))


def has_cuda() -> bool:
    """Whether torch sees a CUDA device."""
    import torch

    return torch.cuda.is_available()


if __name__ == "__main__":
    sys.exit(main())
