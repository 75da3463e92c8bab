"""Draw the text that a trained detector finds: `python -m ocr.predict IMAGES --checkpoint RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import track

from ocr.train import MODULES_OF_EXTRA_TRAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ocr.data.annotations import PageAnnotation
    from ocr.models.postprocessing import Detection
    from ocr.trained_detector import TrainedDetector

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
BOXES_NAME = "boxes.json"
OUTLINE = (214, 39, 40)
# Of the longest side: one pixel on a small page, and still seen on a photograph.
_OUTLINE_SHARE = 1 / 500


@click.command()
@click.argument("images", type=click.Path(path_type=Path))
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="A checkpoint, or the folder of a run.  [default: random weights]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The training's configuration.  [default: .hydra/config.yaml of the checkpoint's run]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("predictions"),
    show_default=True,
    help="Folder for the pictures and boxes.json.",
)
def main(images: Path, checkpoint: Path | None, config: Path | None, output: Path) -> None:
    """Find the text on IMAGES, an image or a folder of images, and draw boxes around it.

    Writes each image with its boxes under its own name, and boxes.json with their corners, in
    pixels of the image, and their scores, in the format of a data set's annotations. An image that
    can't be read is named and passed over, and the exit status is then 1.
    """
    paths = _image_paths(images)
    if output.resolve() == paths[0].parent.resolve():
        raise click.ClickException(
            f"{output} holds the images themselves; choose another folder with --output"
        )
    detector = _detector(checkpoint, config)
    if detector.checkpoint is None:
        click.echo(
            "Warning: random weights, so the boxes mean nothing; name a checkpoint or a run's "
            "folder with --checkpoint.",
            err=True,
        )
    try:
        pages = _predicted(detector, paths, output)
    except OSError as error:
        raise click.ClickException(f"{output} can't be written: {error}") from error
    if pages:
        boxes = sum(len(page.polygons) for page in pages)
        click.echo(f"{output}: {len(pages)} of {len(paths)} images, {boxes} boxes")
    if len(pages) < len(paths):
        raise click.exceptions.Exit(1)


def _image_paths(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise click.ClickException(f"{place}: no such image or folder")
    paths = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        known = ", ".join(sorted(SUFFIXES))
        raise click.ClickException(f"{place}: no image in it ({known})")
    return paths


def _detector(checkpoint: Path | None, config: Path | None) -> TrainedDetector:
    try:
        # torch takes seconds to import, which `--help` and a wrong path needn't wait for.
        from ocr.trained_detector import DetectorError, load_detector
    except ModuleNotFoundError as error:
        if error.name not in MODULES_OF_EXTRA_TRAIN:
            raise
        raise click.ClickException(
            f"the detector needs {error.name}; in the checkout, run: pip install -e '.[train]'"
        ) from error
    try:
        return load_detector(checkpoint, config)
    except DetectorError as error:
        raise click.ClickException(str(error)) from error


def _predicted(
    detector: TrainedDetector, paths: Sequence[Path], output: Path
) -> list[PageAnnotation]:
    """Draw every image that can be read; return what was found on them."""
    from ocr.data.annotations import PageAnnotation, read_image, write_annotations
    from ocr.data.errors import AnnotationError

    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    pages = []
    for path in track(paths, description="Finding text", console=console, disable=len(paths) == 1):
        try:
            image = read_image(path)
        except AnnotationError as error:
            console.print(f"Error: {error}")
            continue
        found = detector.detect(image)
        output.mkdir(parents=True, exist_ok=True)
        _draw(image, found, output / path.name)
        pages.append(
            PageAnnotation(
                image_path=path,
                polygons=tuple(region.polygon for region in found),
                scores=tuple(region.score for region in found),
            )
        )
    if pages:
        write_annotations(output / BOXES_NAME, pages)
    return pages


def _draw(image: NDArray[np.uint8], found: Sequence[Detection], path: Path) -> None:
    from PIL import Image, ImageDraw

    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    width = max(1, round(max(picture.size) * _OUTLINE_SHARE))
    for region in found:
        corners = [(float(x), float(y)) for x, y in region.polygon]
        pen.polygon(corners, outline=OUTLINE, width=width)
    picture.save(path)


if __name__ == "__main__":
    main()
