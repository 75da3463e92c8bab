"""Runs members, each in a forked child of a process that has imported torch and Lightning.

Importing them takes seconds, which two runs of each member would cost hundreds of times. What our
callbacks import at the end of a fit is not imported before, as in a user's process. A child ends
as any interpreter does. Orders come on stdin and verdicts go to stdout, a line of JSON each.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

OUTCOME_NAME = "outcome.json"
_POLL_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Order:
    """One run of one member."""

    kind: str
    name: str
    measured: bool
    folder: str
    limit_s: float


def next_order() -> Order | None:
    """Fork a child for each order; return the order in the child, None where no more come."""
    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = os.fork()
        if child == 0:
            return order
        print(json.dumps({"status": _status_of(child, order.limit_s)}), flush=True)
    return None


def _status_of(child: int, limit_s: float) -> str:
    """Wait for a child; one that takes too long is killed with all that it started."""
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _kill_group(child)
            code = os.waitstatus_to_exitcode(status)
            return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
        time.sleep(_POLL_S)
    _kill_group(child)
    os.waitpid(child, 0)
    return f"not over after {limit_s:g} s"


def _kill_group(leader: int) -> None:
    """End what a child started and left behind; its group is its own."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def perform(order: Order) -> None:
    """Run a member; an exception that it raises ends the process, as it would a user's."""
    from benchmarks.guest_members.kinds import members_of
    from benchmarks.guest_members.session import Guest

    member = members_of(order.kind)[order.name]
    guest = Guest(Path(order.folder), measured=order.measured)
    error: BaseException | None = None
    main_process = os.getpid()
    try:
        member.run(guest)
    except BaseException as raised:
        error = raised
        raise
    finally:
        if os.getpid() == main_process:
            text = json.dumps(guest.outcome(error))
            _write(Path(order.folder) / OUTCOME_NAME, text)


def _write(path: Path, text: str) -> None:
    """Write by the system's own calls: a member may have replaced `open`."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(file, text.encode())
    os.close(file)


def _become_own_process(order: Order) -> None:
    """Leave the group, the folder and the streams of the process that was forked."""
    os.setpgid(0, 0)
    folder = Path(order.folder)
    os.chdir(folder)
    for stream, target in ((0, os.devnull), (1, "stdout.txt"), (2, "stderr.txt")):
        flags = os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT
        file = os.open(target, flags, 0o600)
        os.dup2(file, stream)
        os.close(file)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    import benchmarks.guest_members.session  # noqa: F401 - once for all children

    own = next_order()
    if own is not None:
        _become_own_process(own)
        perform(own)
