"""A listener to sections that writes down what begins and ends."""

from __future__ import annotations

import threading


class Blocks(dict[str, "Blocks"]):
    """Writes down what begins and ends."""

    def __init__(self, name: str = "", log: list[str] | None = None) -> None:
        super().__init__()
        self.name = name
        self.ident = 0
        self.log: list[str] = [] if log is None else log

    def __missing__(self, name: str) -> Blocks:
        return Blocks(name, self.log)

    @property
    def thread(self) -> int:
        return threading.get_ident()

    def note(self, text: str) -> None:
        self.log.append(text)

    def enter(self) -> None:
        self.log.append(f"+{self.name}")

    def exit(self) -> None:
        self.log.append(f"-{self.name}")
