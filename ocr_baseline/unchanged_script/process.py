"""Running a command as if it had been started without us: its streams, signals and exit status."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ocr_baseline.unchanged_script.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_NOT_PASSED_ON = frozenset(
    getattr(signal, name)
    for name in (
        *("SIGKILL", "SIGSTOP", "SIGCHLD", "SIGPIPE"),
        *("SIGTSTP", "SIGTTIN", "SIGTTOU"),  # they stop us, and whoever waits for us sees it
        *("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"),  # faults of our own
    )
    if hasattr(signal, name)
)
_OF_A_TERMINAL = frozenset(
    getattr(signal, name)
    for name in ("SIGINT", "SIGHUP", "SIGQUIT", "SIGCONT", "SIGWINCH")
    if hasattr(signal, name)
)
BY_SIGNAL = 128
"""What a shell adds to the number of a signal that ended a command."""
_SHELL = "/bin/sh"
_DIES_WITH_PARENT = 1
"""`PR_SET_PDEATHSIG` of prctl(2)."""


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with these variables on top of ours; return its exit status.

    A signal that someone sends to this process is passed on. One that went to the command as well
    isn't, as those of the terminal, of `timeout` and of `pkill -f`: a second Ctrl-C means something
    else than one, and a second SIGTERM breaks off what a script does at the first.
    They stay blocked once the command has ended: what still comes was for the command.

    Returns:
        The status, or the number of the signal that ended the command, below zero.

    Raises:
        OSError: When the command can't be started.
    """
    variables = os.environ | dict(environment)
    if os.name == "nt":
        return subprocess.call(command, env=variables, close_fds=False)  # noqa: S603 - the user's own command
    waited_for = frozenset(signal.valid_signals()) - _NOT_PASSED_ON | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    # Where a supervisor left it ignored, the kernel would tell of no end and keep no exit status.
    # With a handler, as macOS doesn't keep what would be ignored for who waits.
    of_children = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    dies_with_us = death_with_parent()

    def as_it_was() -> None:
        """Give the command what it would have inherited from who started us."""
        signal.signal(signal.SIGCHLD, of_children)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        dies_with_us()

    try:
        process = _started(command, variables, as_it_was)
    except OSError:
        signal.signal(signal.SIGCHLD, of_children)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    with _witness(waited_for, dies_with_us) as went_to_all:
        return _passing_on(process, waited_for, went_to_all)


def end_like(status: int) -> int:
    """End by the signal that ended a command, as it would have been seen without us.

    A shell stops its loop at Ctrl-C, and xargs at any signal, by how the process ended.

    Returns:
        The exit status as a shell has it, where no signal ended the command, or where we can't be
        ended by it (a container's first process).
    """
    if status >= 0 or os.name == "nt":
        return status
    with suppress(ImportError, OSError, ValueError):
        import resource

        # The command's own memory is what someone wants to look into.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError, ValueError):  # nobody has a handler of SIGKILL
        signal.signal(-status, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {-status})
    os.kill(os.getpid(), -status)
    return BY_SIGNAL - status


def _started(
    command: Sequence[str], variables: Mapping[str, str], first: Callable[[], None]
) -> subprocess.Popen[bytes]:
    def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the user's own command
            words,
            env=variables,
            close_fds=False,  # what the shell opened for the command: `--config <(...)`
            preexec_fn=first,
        )

    try:
        return start(command)
    except OSError as error:
        script = shutil.which(command[0], path=variables.get("PATH"))
        if error.errno != errno.ENOEXEC or script is None:
            raise
        return start([_SHELL, script, *command[1:]])  # a script without #!, as shells and env do


def death_with_parent() -> Callable[[], None]:
    """Return what has a new process killed where this one is: it would go on alone.

    It is called in the new process, before its program begins.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl: Any = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def set_it() -> None:
        prctl(_DIES_WITH_PARENT, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return set_it


@contextmanager
def _witness(
    signals: frozenset[signal.Signals], first: Callable[[], None]
) -> Iterator[Callable[[int], bool]]:
    """Yield what tells whether a signal went to others beside this process too."""
    try:
        witness = Witness(signals, first)
    except OSError:  # no process is left: better a signal twice than never
        yield lambda number: False
        return
    try:
        yield witness.saw
    finally:
        witness.dismiss()


def _passing_on(
    process: subprocess.Popen[bytes],
    waited_for: frozenset[signal.Signals],
    went_to_all: Callable[[int], bool],
) -> int:
    while (status := process.poll()) is None:
        number, is_kernels = _next_of(waited_for)
        if number == signal.SIGCHLD or (is_kernels and number in _OF_A_TERMINAL):
            continue
        if not (went_to_all(number) and _is_in_our_group(process)):
            process.send_signal(number)
    return status


def _is_in_our_group(process: subprocess.Popen[bytes]) -> bool:
    """Whether the command gets what is sent to this process's group: it may have left it."""
    with suppress(OSError):
        return os.getpgid(process.pid) == os.getpgrp()
    return False


def _next_of(waited_for: frozenset[signal.Signals]) -> tuple[int, bool]:
    """Wait for a signal; return it, and whether the kernel sent it, as it does for a terminal.

    The sender's number doesn't tell: it is 0 of one outside of a container too.
    """
    if hasattr(signal, "sigwaitinfo"):
        told = signal.sigwaitinfo(waited_for)
        return told.si_signo, told.si_code > 0
    return signal.sigwait(waited_for), _is_in_foreground()


def _is_in_foreground() -> bool:
    """Whether the terminal's signals are for us: macOS doesn't say who sent one."""
    with suppress(OSError):
        return os.tcgetpgrp(0) == os.getpgrp()
    return False
