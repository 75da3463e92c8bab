"""The end of a fit stays short, however much there is to report.

Each burden is a real training in a process of its own, without our callbacks and with them. What
they add is told in processor time, which other programs on the machine don't lengthen: at the start
of the fit, where the configuration is read, and between the training's last hook and the trainer's
end.

    python -m benchmarks.ends [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.tables import Goal, print_table

GOAL_S = 2.0
SECTIONS = 100_000
LOGGED_KEYS = 5_000
BATCHES = 8


class Added(NamedTuple):
    """Processor time in seconds."""

    start_s: float
    end_s: float


def nothing() -> Any:
    """Nothing but a training."""
    from benchmarks.guest_members.session import Net

    return Net()


def section_names() -> Any:
    """100,000 names of sections."""
    from benchmarks.guest_members.session import Net
    from ocr_baseline import section

    class Named(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            for number in range(SECTIONS // BATCHES):
                with section(f"image {batch_idx} {number}"):
                    pass
            return super().training_step(batch, batch_idx)

    return Named()


def configuration() -> Any:
    """A configuration of 10 MB: 200,000 texts."""
    from benchmarks.guest_members.session import Net

    text = "a value of some words, number"
    return Net(
        table={
            f"part {part}": {f"entry {entry}": f"{text} {part * entry}" for entry in range(20)}
            for part in range(10_000)
        }
    )


def hyperparameters() -> Any:
    """50,000 hyperparameters."""
    from benchmarks.guest_members.session import Net

    return Net(table={f"key {number}": number for number in range(50_000)})


def logged_keys() -> Any:
    """5,000 logged keys."""
    from benchmarks.guest_members.session import Net

    class Logs(Net):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if batch_idx == BATCHES - 1:  # each time costs Lightning itself seconds
                self.log_dict({f"metric {number}": float(number) for number in range(LOGGED_KEYS)})
            return self.loss_of(batch)

    return Logs()


def traced_allocations() -> Any:
    """`tracemalloc`, which traces allocations three calls deep."""
    from benchmarks.guest_members.session import Net

    tracemalloc.start(3)
    return Net()


BURDENS: dict[str, Callable[[], Any]] = {
    made.__name__: made
    for made in (
        nothing,
        section_names,
        configuration,
        hyperparameters,
        logged_keys,
        traced_allocations,
    )
}


def run_here(burden: str, *, measured: bool) -> Added:
    """Train in this process; return the processor time of the start and of the end."""
    from lightning.pytorch import Callback

    from benchmarks.guest_members.session import BATCH_SIZE, Guest, loader

    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    instants: dict[str, float] = {}

    class Marks(Callback):
        def on_train_start(self, *args: Any) -> None:
            instants["started"] = time.process_time()

        def on_train_end(self, *args: Any) -> None:
            instants["ended"] = time.process_time()

    with tempfile.TemporaryDirectory() as folder:
        guest = Guest(Path(folder), measured=measured)
        module = BURDENS[burden]()
        began_s = time.process_time()
        guest.fit(module, loader(BATCHES * BATCH_SIZE), None, Marks(), max_epochs=1)
        over_s = time.process_time()
    return Added(instants["started"] - began_s, over_s - instants["ended"])


def run(burden: str, *, measured: bool) -> Added:
    """Do that in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ends", "--burden", burden]
    told = subprocess.run(
        [*command, "--measured"] if measured else command,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout
    return Added(*json.loads(told.splitlines()[-1]))


def added_by_ours(burden: str, rounds: int) -> Added:
    """Return the median of what ours add."""
    pairs = [(run(burden, measured=False), run(burden, measured=True)) for _ in range(rounds)]
    return Added(
        statistics.median(ours.start_s - bare.start_s for bare, ours in pairs),
        statistics.median(ours.end_s - bare.end_s for bare, ours in pairs),
    )


def main() -> int:
    """Measure every burden, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--burden", choices=BURDENS, help="run this one here and print its times")
    parser.add_argument("--measured", action="store_true", help="with our callbacks")
    arguments = parser.parse_args()
    if arguments.burden:
        print(json.dumps(run_here(arguments.burden, measured=arguments.measured)))
        return 0
    added = {burden: added_by_ours(burden, arguments.rounds) for burden in BURDENS}
    header = ("the training has", "processor seconds added at its start", "at its end")
    sentences = {burden: (made.__doc__ or "").rstrip(".") for burden, made in BURDENS.items()}
    rows = [
        (sentences[burden], f"{seconds.start_s:.2f}", f"{seconds.end_s:.2f}")
        for burden, seconds in added.items()
    ]
    print_table(header, rows)
    most_s = max(seconds.end_s for seconds in added.values())
    return Goal.report(Goal("seconds added at the end, at most", round(most_s, 2), GOAL_S))


if __name__ == "__main__":
    sys.exit(main())
