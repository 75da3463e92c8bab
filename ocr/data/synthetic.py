"""Data sets of synthetic receipts; `python -m ocr.data.synthetic --help` makes one."""

import hashlib
import json
import multiprocessing
import os
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from ocr.data.annotations import PageAnnotation, write_annotations
from ocr.data.receipt_renderer import PageSettings, render_page

# Part of a data set's identity: raise it whenever the same seed gives other pages.
_RENDERER_VERSION = 1
_SPLIT_SEEDS = {"train": 0, "val": 1}
# Below this, starting a process takes longer than the drawing that it takes over.
_PAGES_PER_WORKER = 100


@dataclass(frozen=True, kw_only=True)
class SyntheticSettings:
    """A data set of synthetic receipts.

    Args:
        train_count: Training pages.
        val_count: Validation pages.
        seed: Of everything random in it.
        page: How the pages look.
    """

    train_count: int
    val_count: int
    seed: int = 0
    page: PageSettings = field(default_factory=PageSettings)

    def __post_init__(self) -> None:
        if min(self.train_count, self.val_count, self.seed) < 0:
            raise ValueError("train_count, val_count and seed must not be negative")

    @property
    def folder_name(self) -> str:
        """A name that other settings don't share."""
        identity = json.dumps([_RENDERER_VERSION, asdict(self)], sort_keys=True)
        digest = hashlib.sha256(identity.encode()).hexdigest()[:10]
        return f"synthetic-{self.train_count}-{self.val_count}-{digest}"


def generate_once(settings: SyntheticSettings, out_dir: Path, workers: int | None = None) -> None:
    """Make the data set in `out_dir`, unless that exists.

    The folder appears complete or not at all, also when several processes make it at once.
    """
    if out_dir.exists():
        return
    unfinished = out_dir.parent / f".{out_dir.name}-{uuid.uuid4().hex}"
    try:
        _generate(settings, unfinished, workers)
        try:
            unfinished.rename(out_dir)
        except OSError:
            # Another process was faster, with the same settings and so the same bytes.
            if not out_dir.is_dir():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _generate(settings: SyntheticSettings, out_dir: Path, workers: int | None) -> None:
    counts = {"train": settings.train_count, "val": settings.val_count}
    tasks = [(split, index) for split, count in counts.items() for index in range(count)]
    for split in counts:
        (out_dir / "images" / split).mkdir(parents=True)
    (out_dir / "jsons").mkdir()
    pages = track(
        _draw_pages(partial(_write_page, settings, out_dir), tasks, workers),
        description="Making synthetic receipts",
        total=len(tasks),
        console=Console(stderr=True),
    )
    by_split: dict[str, list[PageAnnotation]] = {split: [] for split in counts}
    for (split, _), page in zip(tasks, pages, strict=True):
        by_split[split].append(page)
    for split, annotated in by_split.items():
        write_annotations(out_dir / "jsons" / f"{split}.json", annotated)


def _draw_pages(
    draw: "partial[PageAnnotation]", tasks: list[tuple[str, int]], workers: int | None
) -> Iterator[PageAnnotation]:
    if workers is None:
        workers = min(os.cpu_count() or 1, -(-len(tasks) // _PAGES_PER_WORKER))
    if workers <= 1:
        yield from map(draw, tasks)
        return
    # Forking a process that may already run torch's threads can deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(draw, tasks, chunksize=8)


def _write_page(
    settings: SyntheticSettings, out_dir: Path, task: tuple[str, int]
) -> PageAnnotation:
    split, index = task
    page = render_page(settings.page, (settings.seed, _SPLIT_SEEDS[split], index))
    image_path = out_dir / "images" / split / f"receipt_{index:05d}.jpg"
    image_path.write_bytes(page.jpeg)
    return PageAnnotation(image_path=image_path, polygons=page.quads)


@click.command()
@click.option("--count", type=click.IntRange(min=1), required=True, help="Receipts in all.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to make; it must not exist yet.",
)
@click.option(
    "--val-count",
    type=click.IntRange(min=0),
    help="Receipts of these that are for validation.  [default: a quarter]",
)
@click.option(
    "--size", type=click.IntRange(min=160), default=640, show_default=True, help="Longest side, px."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: by count]")
def main(
    count: int, seed: int, out: Path, val_count: int | None, size: int, workers: int | None
) -> None:
    """Make COUNT synthetic receipts with the quads of their words.

    Writes images/train, images/val, jsons/train.json and jsons/val.json under OUT.
    """
    for_validation = count // 4 if val_count is None else val_count
    if for_validation > count:
        raise click.BadParameter("is more than --count", param_hint="--val-count")
    if out.exists():
        raise click.BadParameter(f"{out} exists", param_hint="--out")
    settings = SyntheticSettings(
        train_count=count - for_validation,
        val_count=for_validation,
        seed=seed,
        page=PageSettings(size_px=size),
    )
    try:
        generate_once(settings, out, workers)
    except OSError as error:
        raise click.ClickException(f"{out} can't be written: {error}") from error
    click.echo(out)


if __name__ == "__main__":
    main()
