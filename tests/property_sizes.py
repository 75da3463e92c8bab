"""How many examples a property test tries: all of its own, or a tenth of them in `make check`."""

from __future__ import annotations

from hypothesis import settings

FULL_EXAMPLES = 100
"""Of a property that asks for no number, in `make test`; the profiles are in conftest.py."""


def examples(count: int) -> int:
    """Return `count` in `make test`, and in `make check` the same share of it as everywhere."""
    return max(1, count * settings().max_examples // FULL_EXAMPLES)
