"""What tells the callback objects of one run from those of the next.

A run may meet several callback objects: strategies that spawn or fork hand each process a copy for
each of its stages, and `LightningModule.configure_callbacks` makes new ones. They are of one run
where that is certain, by a name that no other run has.
"""

from __future__ import annotations

import copy
import os


class RunToken:
    """The name of the run that a callback object belongs to.

    Attributes:
        name: A random name.
    """

    def __init__(self) -> None:
        """Make a new name."""
        self.name = os.urandom(16).hex()
        self._pid = os.getpid()

    @property
    def is_shared_with_children(self) -> bool:
        """Whether records under this name are of processes that this one started, or is one of."""
        return self._pid in {os.getpid(), os.getppid()}

    def named(self, name: str) -> RunToken:
        """Return this token under the name that the run has elsewhere."""
        token = copy.copy(self)
        token.name = name
        return token

    def of_copy(self) -> RunToken:
        """Return the token of a callback that was copied: a copy in the same process is another."""
        return RunToken() if self._pid == os.getpid() else self
