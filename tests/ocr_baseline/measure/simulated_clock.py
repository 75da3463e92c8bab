"""A clock that moves only when a test says so."""

from __future__ import annotations


class SimulatedClock:
    """Nanoseconds that pass only when somebody works."""

    def __init__(self, now_ns: int = 1_000_000_000) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns

    def work(self, duration_ns: int) -> None:
        self.now_ns += duration_ns
