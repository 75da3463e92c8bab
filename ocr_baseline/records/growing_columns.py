"""Columns that grow as records are read: a long run is in memory once, not in pieces as well."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)


class GrowingColumns(Generic[Number]):
    """Columns by name, all of one type and length, each in one block that grows at its end."""

    def __init__(self, dtype: type[Number]) -> None:
        """Begin with no columns and no rows."""
        self._dtype = np.dtype(dtype)
        self._columns: dict[str, array[Any]] = {}
        self._rows = 0

    def extend(self, columns: Mapping[str, NDArray[Number]], rows: int) -> None:
        """Add that many rows; a column is zero in the rows for which it is not given."""
        for name in columns.keys() - self._columns.keys():
            self._columns[name] = array(self._dtype.char, self._zeros(self._rows))
        absent = self._zeros(rows)
        for name, grown in self._columns.items():
            grown.frombytes(columns[name].tobytes() if name in columns else absent)
        self._rows += rows

    def column(self, name: str) -> NDArray[Number]:
        """Return a column without a copy, of no rows where nothing was given; growing ends here."""
        return np.asarray(self._columns.get(name, ()), dtype=self._dtype)

    def columns(self) -> dict[str, NDArray[Number]]:
        """Return all columns, by name in alphabetical order, without a copy; growing ends here."""
        return {name: self.column(name) for name in sorted(self._columns)}

    def _zeros(self, rows: int) -> bytes:
        return bytes(rows * self._dtype.itemsize)
