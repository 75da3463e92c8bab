"""Runs a member without and with our callbacks, and tells what differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.guest_members.kinds import members_of
from benchmarks.guest_members.process import OUTCOME_NAME, Order
from benchmarks.guest_members.truths import Checked, check_report

_HARMED = ("ended_by", "told", "traces", "batches")
_CHANGED = ("weights", "random", "graphs")


class Template:
    """The process that forks a child for each run."""

    def __init__(self) -> None:
        """Start it."""
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.guest_members.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(_module_path())},
        )

    def run(self, order: Order) -> tuple[str, dict[str, Any]]:
        """Return how the run's process ended, and what it came to."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the template has no streams")
        Path(order.folder).mkdir(parents=True)
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        status: str = json.loads(self._process.stdout.readline())["status"]
        written = Path(order.folder) / OUTCOME_NAME
        return status, json.loads(written.read_text()) if written.is_file() else {}

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def _module_path() -> list[str]:
    """Return where the project is, for the processes that a member starts elsewhere."""
    return [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]


@dataclass(kw_only=True)
class Outcome:
    """What a member came to.

    Attributes:
        harm: What tells that the training was harmed.
        change: What tells that it was changed.
        false: Numbers of the report that aren't true.
        checked: How many numbers of the report were compared with the truth.
        unmeasured: How many of them the report doesn't have.
        added_s: Seconds that ours added at the end of each of the member's fits.
    """

    kind: str
    name: str
    sentence: str
    harm: list[str] = field(default_factory=list)
    change: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    checked: int = 0
    unmeasured: int = 0
    added_s: list[float] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """Everything that should not be."""
        return [*self.harm, *self.change, *self.false]

    def told(self) -> str:
        """Return a line on the member."""
        added = f" ({max(self.added_s):.2f} s added)" if self.added_s else ""
        return f"{self.kind}, {self.name}: {'; '.join(self.problems) or 'as without'}{added}"


def compare(template: Template, kind: str, name: str, folder: Path) -> Outcome:
    """Run a member without and with our callbacks, in folders of the same length."""
    member = members_of(kind)[name]
    outcome = Outcome(kind=kind, name=name, sentence=member.sentence)
    results = [
        template.run(
            Order(
                kind=kind,
                name=name,
                measured=measured,
                folder=str(folder / ("with" if measured else "bare")),
                limit_s=member.limit_s,
            )
        )
        for measured in (False, True)
    ]
    (bare_status, bare), (status, ours) = results
    if ours.get("is_refused"):
        return _refused(outcome, ours)
    if status != bare_status:
        outcome.harm.append(f"{status}, without us {bare_status}")
    if "ended_by" not in bare and "ended_by" not in ours:
        return outcome  # both processes ended before they could tell, and alike
    outcome.harm += _differences(bare, ours, _HARMED)
    outcome.change += _differences(bare, ours, _CHANGED)
    _add_numbers(outcome, ours)
    _add_seconds(outcome, bare, ours)
    return outcome


def _refused(outcome: Outcome, ours: dict[str, Any]) -> Outcome:
    """A wrong setting has to be an error of ours that comes before the first batch."""
    if "OperationError" not in str(ours["ended_by"]) or any(ours["batches"]):
        outcome.harm.append(f"not refused before the run: {ours['ended_by']}, {ours['batches']}")
    return outcome


def _differences(bare: dict[str, Any], ours: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return [
        f"{name}: {ours.get(name)}, without us {bare.get(name)}"[:600]
        for name in names
        if bare.get(name) != ours.get(name)
    ]


def _add_numbers(outcome: Outcome, ours: dict[str, Any]) -> None:
    for number, truths in ours.get("truths", {}).items():
        found: Checked = check_report(Path(ours["reports"][number]), truths)
        outcome.false += found.false
        outcome.checked += found.checked
        outcome.unmeasured += found.unmeasured


def _add_seconds(outcome: Outcome, bare: dict[str, Any], ours: dict[str, Any]) -> None:
    pairs = zip(bare.get("end_s", []), ours.get("end_s", []), strict=False)
    outcome.added_s += [
        max(with_us - without, 0.0)
        for without, with_us in pairs
        if without is not None and with_us is not None
    ]
