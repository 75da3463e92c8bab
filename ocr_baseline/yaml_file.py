"""YAML files that anyone may have written: plain values alone, and nested no deeper than sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from ocr_baseline.errors import SourceError
from ocr_baseline.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

MAX_DEPTH = 100
"""A configuration has ten levels; the loader, which calls itself for each, has room for 300."""


def read_yaml(path: Path) -> object:
    """Return the one document of a YAML file, None for an empty one.

    Raises:
        SourceError: When it can't be read, isn't plain YAML, or is nested too deep.
    """
    text = read_text(path)
    try:
        # A safe loader with a bound.
        return yaml.load(text, Loader=_BoundedLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # ValueError: dates and numbers that Python has none for.
        cause = str(error).splitlines()[0]
        raise SourceError(f"can't read {path}: {cause}") from error


class _BoundedLoader(yaml.SafeLoader):
    """Refuses what would exhaust the stack before it is read to its depth."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested deeper than {MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node
