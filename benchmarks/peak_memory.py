"""The highest resident memory that this process had."""

from __future__ import annotations

from pathlib import Path

_KIBIBYTE = 1024


def own_peak_bytes() -> int:
    """Return the largest resident set of this process since its program began, on Linux.

    `getrusage` tells more than that: it keeps the peak of the process that started this one, which
    the kernel hands on at the start of a program. `VmHWM` is of the program's own memory; proc(5).
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * _KIBIBYTE
    raise OSError("/proc/self/status tells no VmHWM")
