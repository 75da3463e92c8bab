"""`python -m ocr.predict`, on synthetic pages and, where they are, on real receipts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from omegaconf import DictConfig, OmegaConf
from PIL import Image

from ocr.data.annotations import load_annotations, read_image
from ocr.data.receipt_renderer import PageSettings, render_page
from ocr.data.transforms import DetectionTransforms
from ocr.lightning_modules.text_detector import TextDetector
from ocr.models.postprocessing import Detection
from ocr.predict import main
from ocr.trained_detector import TrainedDetector, load_detector

pytestmark = pytest.mark.slow

Compose = Callable[..., DictConfig]

REPOSITORY = Path(__file__).resolve().parents[2]
RECEIPTS = Path(os.environ.get("OCR_RECEIPTS", REPOSITORY.parent / "shared" / "data" / "receipts"))
SMALL = (
    "data.transforms.image_size=160",
    "model.model.backbone_options.stem_width=8",
    "model.model.backbone_options.channels=[8,8,8,8]",
    "model.model.neck_channels=16",
    "model.model.feature_channels=16",
)
# Every pixel is text then, whatever the weights: one box, which is the page.
ALL_IS_TEXT = ("model.postprocessor.threshold=0", "model.postprocessor.box_threshold=0")


@pytest.fixture
def run(compose_app: Compose, tmp_path: Path) -> Path:
    """The folder of a run as Hydra and Lightning leave it; its detector sees text anywhere."""
    return write_run(tmp_path / "run", compose_app(*SMALL, *ALL_IS_TEXT))


def write_run(folder: Path, config: DictConfig) -> Path:
    (folder / ".hydra").mkdir(parents=True)
    (folder / "checkpoints").mkdir()
    OmegaConf.save(config, folder / ".hydra" / "config.yaml")
    weights = load_detector(None, folder / ".hydra" / "config.yaml").module.state_dict()
    torch.save({"state_dict": weights}, folder / "checkpoints" / "epoch_000.ckpt")
    return folder


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A folder with two synthetic receipts, and a text file that is none."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for index in range(2):
        page = render_page(PageSettings(size_px=320, items_max=4), (0, 0, index))
        (folder / f"page_{index}.jpg").write_bytes(page.jpeg)
    (folder / "notes.txt").write_text("not an image")
    return folder


def predict(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


class FindsTwo(TextDetector):
    """Finds a region on the page, and one in the padding on its right."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def detect(self, images: torch.Tensor) -> list[list[Detection]]:
        assert images.shape == (1, 3, 64, 64)
        on_page, in_padding = (
            np.array([[x, 16], [x + 8, 16], [x + 8, 32], [x, 32]], dtype=np.float32)
            for x in (8, 40)
        )
        return [[Detection(on_page, 0.9), Detection(in_padding, 0.8)]]


def test_regions_come_back_in_the_pages_own_pixels_without_those_of_the_padding() -> None:
    detector = TrainedDetector(
        transforms=DetectionTransforms(image_size=64), module=FindsTwo(), checkpoint=None
    )
    (region,) = detector.detect(np.zeros((200, 100, 3), dtype=np.uint8))
    assert region.polygon.tolist() == [[25, 50], [50, 50], [50, 100], [25, 100]]
    assert region.score == 0.9


def test_a_folder_becomes_pictures_and_annotations_that_can_be_read(
    run: Path, pages: Path, tmp_path: Path
) -> None:
    done = predict(pages, "--checkpoint", run, "--output", tmp_path / "out")

    assert done.exit_code == 0, done.output
    assert done.stdout == f"{tmp_path / 'out'}: 2 of 2 images, 2 boxes\n"
    assert "random weights" not in done.output
    found = load_annotations(tmp_path / "out" / "boxes.json", pages)
    assert [page.image_path.name for page in found] == ["page_0.jpg", "page_1.jpg"]
    for page in found:
        height, width = read_image(page.image_path).shape[:2]
        (polygon,) = page.polygons
        assert polygon.min(axis=0) == pytest.approx([0, 0], abs=2)
        assert polygon.max(axis=0) == pytest.approx([width, height], abs=2)
    assert '"score":' in (tmp_path / "out" / "boxes.json").read_text()


def test_a_picture_is_the_image_with_an_outline_around_the_text(run: Path, tmp_path: Path) -> None:
    image = tmp_path / "white.png"
    Image.new("RGB", (160, 160), "white").save(image)

    assert predict(image, "--checkpoint", run, "--output", tmp_path / "out").exit_code == 0

    picture = read_image(tmp_path / "out" / "white.png")
    assert picture.shape == (160, 160, 3)
    assert (picture[80, 80] == 255).all()
    assert (picture[0, 80] != 255).any()


def test_without_a_checkpoint_a_warning_says_that_the_weights_are_random(
    pages: Path, tmp_path: Path
) -> None:
    done = predict(pages / "page_0.jpg", "--output", tmp_path / "out")
    assert done.exit_code == 0
    assert "Warning: random weights" in done.stderr
    assert (tmp_path / "out" / "page_0.jpg").is_file()


def test_an_image_that_is_broken_is_named_and_the_others_are_drawn(
    run: Path, pages: Path, tmp_path: Path
) -> None:
    (pages / "page_1.jpg").write_bytes(b"broken")

    done = predict(pages, "--checkpoint", run, "--output", tmp_path / "out")

    assert done.exit_code == 1
    assert "page_1.jpg can't be decoded" in done.stderr
    assert "1 of 2 images" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"boxes.json", "page_0.jpg"}


def test_what_is_missing_or_broken_is_one_line_and_leaves_nothing_behind(
    run: Path, pages: Path, tmp_path: Path, compose_app: Compose
) -> None:
    (broken := tmp_path / "broken.jpg").write_bytes(b"broken")
    (empty := tmp_path / "empty").mkdir()
    torch.save({"weights": 1}, other := tmp_path / "other.ckpt")
    config = run / ".hydra" / "config.yaml"
    OmegaConf.save(
        compose_app(*SMALL, "model.model.neck_channels=32"), larger := tmp_path / "larger.yaml"
    )
    for arguments, message in (
        ([tmp_path / "absent.jpg"], "absent.jpg: no such image or folder"),
        ([empty], "empty: no image in it (.bmp, .jpeg,"),
        ([broken], "broken.jpg can't be decoded"),
        ([pages, "--checkpoint", tmp_path / "absent"], "absent: no such checkpoint or folder"),
        ([pages, "--checkpoint", empty], "empty: no checkpoint in it or in checkpoints/"),
        ([pages, "--checkpoint", other], "other.ckpt: no .hydra/config.yaml in its run"),
        ([pages, "--checkpoint", other, "--config", config], "it has no state_dict"),
        ([pages, "--checkpoint", broken, "--config", config], "isn't a checkpoint, or holds more"),
        ([pages, "--checkpoint", run, "--config", larger], "weights are of another model"),
        ([pages, "--config", broken], "has no 'model' and 'data'"),
        ([pages, "--config", tmp_path / "absent.yaml"], "absent.yaml: can't be read"),
    ):
        done = predict(*arguments, "--output", tmp_path / "out")
        lines = [line for line in done.stderr.splitlines() if not line.startswith("Warning")]
        assert (done.exit_code, len(lines), done.stdout) == (1, 1, ""), (message, done)
        assert lines[0].startswith("Error: ")
        assert message in lines[0]
        assert not (tmp_path / "out").exists()


def test_the_images_themselves_are_never_replaced(run: Path, pages: Path) -> None:
    before = (pages / "page_0.jpg").read_bytes()
    done = predict(pages, "--checkpoint", run, "--output", pages)
    assert done.exit_code == 1
    assert "holds the images themselves" in done.stderr
    assert (pages / "page_0.jpg").read_bytes() == before


def test_boxes_on_real_receipts_lie_on_the_page(run: Path, tmp_path: Path) -> None:
    if not RECEIPTS.is_dir():
        pytest.skip(f"no real receipts in {RECEIPTS}")
    for image in sorted((RECEIPTS / "images" / "val").iterdir())[:2]:
        out = tmp_path / image.stem
        assert predict(image, "--checkpoint", run, "--output", out).exit_code == 0
        (page,) = load_annotations(out / "boxes.json", image.parent)
        height, width = read_image(image).shape[:2]
        for polygon in page.polygons:
            assert (polygon >= 0).all()
            assert (polygon <= (width, height)).all()
        assert read_image(out / image.name).shape == (height, width, 3)


def test_help_imports_no_torch() -> None:
    program = (
        "import sys; from ocr.predict import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert "--checkpoint" in done.stdout
    assert done.stderr.strip() == "False"
