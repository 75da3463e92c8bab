"""A POSIX timer that sends a signal to one thread, once for each time it is armed."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any

_CLOCK_MONOTONIC = 1
_SIGEV_THREAD_ID = 4
_NS_PER_S = 1_000_000_000


class _Event(ctypes.Structure):
    """Linux's `struct sigevent`, which is 64 bytes long."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal_number", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread_id", ctypes.c_int),
        ("padding", ctypes.c_char * 48),
    )


class _Moment(ctypes.Structure):
    """`struct timespec`."""

    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    """`struct itimerspec`; without an interval the timer expires once."""

    _fields_ = (("interval", _Moment), ("first", _Moment))


class TickTimer:
    """Interrupts the thread that made it, and no other.

    A timer that has to be armed for each tick stops by itself where the signal is not handled by
    whoever arms it. A process that is forked does not inherit it.
    """

    def __init__(self, signal_number: int) -> None:
        """Make the timer; it is not armed.

        Raises:
            OSError: When the system gives none, or has no such timers.
        """
        self._library = _library()
        self._set = self._library.timer_settime
        self._setting = _Setting()
        self._first: Any = self._setting.first
        self._reference = ctypes.byref(self._setting)
        self._id = ctypes.c_void_p()
        event = _Event(
            signal_number=signal_number,
            notify=_SIGEV_THREAD_ID,
            thread_id=threading.get_native_id(),
        )
        made = self._library.timer_create(
            _CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(self._id)
        )
        if made != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def arm(self, after_ns: int) -> None:
        """Send one signal after so many nanoseconds, in place of one that is still to come."""
        first = self._first
        first.seconds = after_ns // _NS_PER_S
        first.nanoseconds = after_ns % _NS_PER_S
        self._set(self._id, 0, self._reference, None)

    def close(self) -> None:
        """Take the timer away; a signal that was sent already may still arrive."""
        self._library.timer_delete(self._id)


def _library() -> Any:
    """Return the C library; calls keep the interpreter's lock, for none of them waits.

    Raises:
        OSError: When it has no timers (macOS), or there is none (Windows).
    """
    for name in (None, "librt.so.1"):  # glibc before 2.34 has its timers in a library of their own
        try:
            library = ctypes.PyDLL(name, use_errno=True)
            _ = library.timer_create, library.timer_settime, library.timer_delete
        except (OSError, TypeError, AttributeError):
            continue
        return library
    raise OSError("this system has no POSIX timers")
