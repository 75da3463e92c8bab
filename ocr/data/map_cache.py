"""Target maps that are kept from one epoch to the next, in memory or on disk.

A page's maps are found by a digest of all that determines them, so a kept map is never that of
other polygons, another size or other settings. Pages whose polygons differ in each epoch are never
found again; `ocr.data.module` refuses to cache those.
"""

import hashlib
import uuid
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ocr.data.target_maps import Map, Polygon, TargetMaps

CacheKind = Literal["none", "memory", "disk"]

# Part of a map's identity: raise it whenever the same polygons give other maps or another file.
_MAPS_VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedMaps:
    """A page's maps at 7 bytes a pixel instead of 16: three of the four hold only 0 and 1.

    `threshold_map` is (H, W) float32, `flags` the other three, (3, H, W).
    """

    threshold_map: Map
    flags: NDArray[np.bool_]

    @classmethod
    def of(cls, maps: TargetMaps) -> "PackedMaps":
        """Pack the maps."""
        flags = [maps.shrink_map, maps.shrink_mask, maps.threshold_mask]
        return cls(threshold_map=maps.threshold_map, flags=np.stack(flags).astype(np.bool_))

    @property
    def shrink_map(self) -> NDArray[np.bool_]:
        """As in `TargetMaps`, (H, W)."""
        shrink_map: NDArray[np.bool_] = self.flags[0]
        return shrink_map

    @property
    def shrink_mask(self) -> NDArray[np.bool_]:
        """As in `TargetMaps`, (H, W)."""
        shrink_mask: NDArray[np.bool_] = self.flags[1]
        return shrink_mask

    @property
    def threshold_mask(self) -> NDArray[np.bool_]:
        """As in `TargetMaps`, (H, W)."""
        threshold_mask: NDArray[np.bool_] = self.flags[2]
        return threshold_mask


class MapCache(Protocol):
    """Keeps target maps by their digest."""

    def get(self, digest: str) -> PackedMaps | None:
        """Return the maps, None when they are not kept."""

    def put(self, digest: str, maps: TargetMaps) -> None:
        """Keep the maps."""


def digest_of(
    polygons: Sequence[Polygon], height: int, width: int, settings: Mapping[str, float]
) -> str:
    """Return the SHA-256 of everything that determines a page's maps.

    Args:
        polygons: (N, 2) each, in the order in which they are drawn.
        height: Of the maps, in pixels.
        width: Of the maps, in pixels.
        settings: The other arguments of `make_target_maps`.
    """
    digest = hashlib.sha256(repr((_MAPS_VERSION, height, width, sorted(settings.items()))).encode())
    for polygon in polygons:
        digest.update(repr((polygon.shape, polygon.dtype.str)).encode())
        digest.update(polygon.tobytes())
    return digest.hexdigest()


class MemoryMapCache:
    """Keeps maps in the memory of the process that made them: of each loader worker, its own."""

    def __init__(self) -> None:
        self._kept: dict[str, PackedMaps] = {}

    def get(self, digest: str) -> PackedMaps | None:
        """Return the maps, None when this process has not made them yet."""
        return self._kept.get(digest)

    def put(self, digest: str, maps: TargetMaps) -> None:
        """Keep the maps for as long as the process lives."""
        self._kept[digest] = PackedMaps.of(maps)


class DiskMapCache:
    """Keeps maps in files that all processes share, also those of later runs.

    A file appears complete or not at all; one that can't be read is made anew, and a folder that
    can't be written to is a warning.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: str) -> PackedMaps | None:
        """Return the maps, None when there is no readable file of them."""
        try:
            with self._path(digest).open("rb") as file:
                return PackedMaps(
                    threshold_map=np.load(file, allow_pickle=False),
                    flags=np.load(file, allow_pickle=False),
                )
        except (OSError, ValueError, EOFError):
            return None

    def put(self, digest: str, maps: TargetMaps) -> None:
        """Write the maps."""
        packed, path = PackedMaps.of(maps), self._path(digest)
        unfinished = path.with_name(f".{digest}-{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with unfinished.open("wb") as file:
                    np.save(file, packed.threshold_map)
                    np.save(file, packed.flags)
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
        except OSError as error:
            warnings.warn(
                f"{self._folder}: target maps can't be kept there ({error.strerror}); set "
                "data.collate.cache_dir to a folder with space, or data.collate.cache=none",
                stacklevel=2,
            )

    def _path(self, digest: str) -> Path:
        # Thousands of files in one folder are slow to list.
        return self._folder / digest[:2] / f"{digest[2:]}.maps"


def make_map_cache(kind: CacheKind, folder: str | Path | None) -> MapCache | None:
    """Return an empty cache, None for none.

    Raises:
        ValueError: There is no such kind, or maps are to be kept on disk but not where.
    """
    if kind == "none":
        return None
    if kind == "memory":
        return MemoryMapCache()
    if kind != "disk":
        raise ValueError(f"cache={kind!r} must be 'none', 'memory' or 'disk'")
    if folder is None:
        raise ValueError("cache='disk' needs cache_dir, the folder that keeps the target maps")
    return DiskMapCache(Path(folder))
