"""Running a command as if it had been started without us: its streams, signals and exit status."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PASSED_ON = frozenset(
    getattr(signal, name)
    for name in (
        *("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT"),
        *("SIGALRM", "SIGXCPU"),
    )
    if hasattr(signal, name)
)
_OF_A_TERMINAL = frozenset({"SIGINT", "SIGHUP", "SIGQUIT", "SIGCONT"})
BY_SIGNAL = 128
"""What a shell adds to the number of a signal that ended a command."""


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with these variables on top of ours; return its exit status, as a shell would.

    A signal that someone sends to this process is passed on. One from the terminal isn't: the
    terminal sends it to the command as well, and a second Ctrl-C means something else than one.

    Raises:
        OSError: When the command can't be started.
    """
    variables = os.environ | dict(environment)
    if os.name == "nt":
        return subprocess.call(command, env=variables, close_fds=False)  # noqa: S603 - the user's own command
    waited_for = _PASSED_ON | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    # Where a supervisor left it ignored, the kernel would tell of no end and keep no exit status.
    of_children = signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def as_it_was() -> None:
        """Give the command what it would have inherited from who started us."""
        signal.signal(signal.SIGCHLD, of_children)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            command,
            env=variables,
            close_fds=False,  # what the shell opened for the command: `--config <(...)`
            preexec_fn=as_it_was,
        )
        status = _passing_on(process, waited_for)
    finally:
        signal.signal(signal.SIGCHLD, of_children)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return status if status >= 0 else BY_SIGNAL - status


def _passing_on(process: subprocess.Popen[bytes], waited_for: frozenset[signal.Signals]) -> int:
    while (status := process.poll()) is None:
        told = signal.sigwaitinfo(waited_for)
        if told.si_signo != signal.SIGCHLD and not _is_of_the_terminal(told):
            process.send_signal(told.si_signo)
    return status


def _is_of_the_terminal(told: signal.struct_siginfo) -> bool:
    """Whether the kernel sent it for the terminal: a process that sends one says who it is."""
    return told.si_pid == 0 and signal.Signals(told.si_signo).name in _OF_A_TERMINAL
