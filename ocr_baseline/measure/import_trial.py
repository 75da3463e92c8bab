"""Imports a module in a process of its own first: some exit, hang or change files as they do so.

A module that the user's code has imported already needs no trial.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ocr_baseline.files import working_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

TIME_LIMIT_S = 60.0
_MARK = "ocr-baseline import trial: "
_PROGRAM = (
    "import json, sys\n"
    "sys.path[:] = json.loads(sys.argv[1])\n"
    "from ocr_baseline.measure.import_trial import run\n"
    "run(sys.argv[2])\n"
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = frozenset({"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate"})


def problem_of(prefix: str) -> str | None:
    """Import the innermost module of a dotted name in another process.

    That process has this one's folder, environment and module path, and `TIME_LIMIT_S` at most.

    Returns:
        What speaks against importing it here, None if nothing does.
    """
    from ocr_baseline.measure.deferred_child_signals import deferred_child_signals, own_child_ended

    if not sys.executable:
        return None
    command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path, default=str), prefix]
    try:
        with deferred_child_signals():
            try:
                done = subprocess.run(  # noqa: S603 - this interpreter, a module of the user's
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    timeout=TIME_LIMIT_S,
                    check=False,
                    start_new_session=True,
                )
            finally:
                own_child_ended()
    except subprocess.TimeoutExpired:
        return f"it was not over after {TIME_LIMIT_S:g} seconds"
    except OSError:
        return None
    last = done.stdout.decode(errors="replace").rpartition(_MARK)
    if not last[1]:
        return f"it ends the process (exit code {done.returncode})"
    problem: str | None = json.loads(last[2])
    return problem


def import_longest_prefix(dotted_name: str) -> int:
    """Import the innermost module of a dotted name; return how many parts lead to it, 0 if none."""
    parts = dotted_name.split(".")
    for depth in range(len(parts), 0, -1):
        module_name = ".".join(parts[:depth])
        try:
            importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not (module_name + ".").startswith(error.name + "."):
                raise
        else:
            return depth
    return 0


def run(prefix: str) -> None:
    """Import a module and print what speaks against it; the body of the other process."""
    changed: list[str] = []
    _watch_files(changed)
    before = _state()
    try:
        import_longest_prefix(prefix)
    except SystemExit as error:
        problem = f"it ends the process (exit code {error.code})"
    except BaseException as error:  # noqa: BLE001 - whatever a module raises speaks against it
        problem = f"{type(error).__name__}: {error}"
    else:
        different = [name for name, value in _state().items() if before[name] != value]
        problem = _told(changed, different)
    print(f"\n{_MARK}{json.dumps(problem or None)}", flush=True)
    os._exit(0)


def _told(changed: Sequence[str], different: Sequence[str]) -> str:
    if changed:
        return f"it writes to the working folder ({changed[0]})"
    return f"it changes the {different[0]}" if different else ""


def _state() -> dict[str, Any]:
    """What of a process a module has no business to change as it is imported."""
    handled = (signal.SIGINT, signal.SIGTERM)
    return {
        "working folder": working_folder(),
        "signal handlers": [signal.getsignal(number) for number in handled],
    }


def _watch_files(changed: list[str]) -> None:
    """Gather the files and folders below the working folder that are changed from now on."""
    folder = working_folder()
    if folder is None:
        return
    inside = os.path.join(folder, "")  # noqa: PTH118 - compared as text

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            is_change = isinstance(arguments[2], int) and arguments[2] & _WRITING
        else:
            is_change = event in _CHANGES
        if is_change and isinstance(arguments[0], str | bytes):
            with suppress(OSError, ValueError):
                path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - as text
                if path.startswith(inside) and "__pycache__" not in path:
                    changed.append(path)

    sys.addaudithook(hook)
