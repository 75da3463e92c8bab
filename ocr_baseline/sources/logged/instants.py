"""Seconds since 1970 in files of any content, as instants."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_instant(seconds: float | None) -> datetime | None:
    """Return the instant, None where there is none or no calendar has it."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, tz=timezone.utc)
    except (OverflowError, ValueError, OSError):  # beyond the calendar, NaN, beyond the system's
        return None
