from __future__ import annotations

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from ocr.data.annotations import load_annotations
from ocr.data.receipt_renderer import PageSettings, render_page
from ocr.data.receipt_text import compose_receipt, format_cents
from ocr.data.synthetic import SyntheticSettings, generate_once, main

PAGE = PageSettings(size_px=320, items_max=4)
CLEAN = PageSettings(
    size_px=640, shading=0.0, blur_px=0.0, noise=0.0, jpeg_quality_min=95, jpeg_quality_max=95
)
SETTINGS = SyntheticSettings(train_count=3, val_count=2, seed=7, page=PAGE)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def decode(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"))


def box_of(quad: NDArray[np.float32]) -> tuple[slice, slice]:
    left, top = np.floor(quad.min(axis=0)).astype(int)
    right, bottom = np.ceil(quad.max(axis=0)).astype(int)
    return slice(top, bottom + 1), slice(left, right + 1)


def test_a_page_is_the_same_bytes_for_its_seed_and_others_for_another() -> None:
    pages = [render_page(PAGE, seed) for seed in ((1, 0, 5), (1, 0, 5), (1, 0, 6), (2, 0, 5))]
    assert pages[0].jpeg == pages[1].jpeg
    np.testing.assert_array_equal(pages[0].quads, pages[1].quads)
    assert len({page.jpeg for page in pages}) == 3


@pytest.mark.parametrize("seed", range(12))
def test_each_quad_lies_in_the_picture_and_runs_clockwise_from_the_top_left(seed: int) -> None:
    page = render_page(PAGE, (seed,))
    height, width = decode(page.jpeg).shape
    assert max(height, width) == PAGE.size_px
    assert len(page.quads) > 20
    for quad in page.quads:
        assert quad.shape == (4, 2)
        assert quad.min() >= 0
        assert (quad <= (width - 1, height - 1)).all()
        (left_top, right_top, right_bottom, left_bottom) = quad
        assert left_top[0] < right_top[0]
        assert left_bottom[0] < right_bottom[0]
        assert left_top[1] < left_bottom[1]
        assert right_top[1] < right_bottom[1]


@pytest.mark.parametrize("seed", range(4))
def test_each_quad_holds_the_ink_of_its_word_and_its_border_holds_none(seed: int) -> None:
    settings = replace(CLEAN, rotation_deg=0.0, perspective=0.0)
    page = render_page(settings, (seed,))
    grey = decode(page.jpeg).astype(int)
    paper = int(np.median(grey))
    for quad in page.quads:
        word = grey[box_of(quad)]
        assert word.min() < paper - 90
        # The outermost pixels lie just outside the ink.
        around = np.concatenate([word[0], word[-1], word[:, 0], word[:, -1]])
        assert np.mean(around < paper - 60) < 0.05


def test_image_and_quads_go_through_one_homography() -> None:
    settings = replace(CLEAN, rotation_deg=6.0, perspective=0.06)
    page = render_page(settings, (3,))
    grey = decode(page.jpeg).astype(int)
    paper = int(np.median(grey))
    assert all(grey[box_of(quad)].min() < paper - 70 for quad in page.quads)
    # The quads follow the paper's turn: upper edges are inclined, all in much the same way.
    edges = np.array([quad[1] - quad[0] for quad in page.quads if np.ptp(quad[:, 0]) > 40])
    angles = np.rad2deg(np.arctan2(edges[:, 1], edges[:, 0]))
    assert 0.3 < abs(np.median(angles)) < 10
    assert np.ptp(angles) < 8


@pytest.mark.parametrize("seed", range(20))
def test_what_a_receipt_says_adds_up(seed: int) -> None:
    lines = compose_receipt(np.random.default_rng(seed), n_items=6, n_columns=34)
    amounts = {line.left: line.right for line in lines if line.right}
    cents = {
        name: int(re.sub(r"\D", "", amount))
        for name, amount in amounts.items()
        if re.search(r"\.\d\d$", amount)
    }
    names = list(cents)
    subtotal, total = cents["Subtotal"], cents["TOTAL"]
    tax_name = names[names.index("Subtotal") + 1]
    percent = int(tax_name.rsplit(" ", 1)[1].rstrip("%"))
    assert cents[tax_name] == round(subtotal * percent / 100)
    assert total == subtotal + cents[tax_name]
    if "Cash" in cents:
        assert cents["Cash"] - cents["Change"] == total


def test_amounts_are_printed_with_two_decimals_and_thousands() -> None:
    assert [format_cents(cents) for cents in (0, 5, 1200, 120450)] == [
        "0.00",
        "0.05",
        "12.00",
        "1,204.50",
    ]


def test_a_data_set_has_the_receipts_layout_and_reads_back(tmp_path: Path) -> None:
    generate_once(SETTINGS, tmp_path / "set")
    for split, count in (("train", 3), ("val", 2)):
        pages = load_annotations(
            tmp_path / "set" / "jsons" / f"{split}.json", tmp_path / "set" / "images" / split
        )
        assert len(pages) == count
        assert all(len(page.polygons) > 20 for page in pages)
    files = contents(tmp_path / "set")
    assert len([name for name in files if name.endswith(".jpg")]) == 5
    assert len({files[name] for name in files}) == 7


@pytest.mark.slow
def test_a_data_set_is_the_same_bytes_from_one_process_and_from_two(tmp_path: Path) -> None:
    generate_once(SETTINGS, tmp_path / "one", workers=1)
    generate_once(SETTINGS, tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.slow
def test_more_pages_leave_the_first_ones_as_they_are(tmp_path: Path) -> None:
    generate_once(SETTINGS, tmp_path / "few")
    generate_once(replace(SETTINGS, train_count=4), tmp_path / "more")
    few, more = contents(tmp_path / "few"), contents(tmp_path / "more")
    assert all(more[name] == few[name] for name in few if name.endswith(".jpg"))


def test_a_data_set_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    generate_once(SETTINGS, tmp_path / "set")
    marker = tmp_path / "set" / "jsons" / "train.json"
    marker.write_text("kept")
    generate_once(SETTINGS, tmp_path / "set")
    assert marker.read_text() == "kept"


def test_several_that_make_one_data_set_at_once_leave_one_complete_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        made = [pool.submit(generate_once, SETTINGS, tmp_path / "set") for _ in range(3)]
        for one in made:
            one.result()
    generate_once(SETTINGS, tmp_path / "alone")
    assert contents(tmp_path / "set") == contents(tmp_path / "alone")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "set"]


def test_a_data_set_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ocr.data.synthetic.write_annotations", fails)
    with pytest.raises(KeyboardInterrupt):
        generate_once(SETTINGS, tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_different_settings_never_share_a_folder() -> None:
    settings = [
        SETTINGS,
        replace(SETTINGS, seed=8),
        replace(SETTINGS, train_count=4),
        replace(SETTINGS, page=replace(PAGE, noise=1.0)),
    ]
    assert len({one.folder_name for one in settings}) == len(settings)
    assert replace(SETTINGS).folder_name == SETTINGS.folder_name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size_px", 100),
        ("items_min", 0),
        ("items_max", 1),
        ("columns_min", 10),
        ("jpeg_quality_max", 101),
    ],
)
def test_impossible_pages_are_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        PageSettings(**{name: value})


def test_the_command_makes_as_many_receipts_as_asked_and_names_the_folder(tmp_path: Path) -> None:
    out = tmp_path / "made" / "receipts"
    run = CliRunner().invoke(main, ["--count", "5", "--size", "320", "--out", str(out)])
    assert run.exit_code == 0, run.output
    assert run.stdout == f"{out}\n"
    counts = {
        split: len(json.loads((out / "jsons" / f"{split}.json").read_text())["images"])
        for split in ("train", "val")
    }
    assert counts == {"train": 4, "val": 1}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--count", "0"], "--count"),
        (["--count", "2", "--val-count", "3"], "--val-count"),
        (["--count", "2", "--size", "10"], "--size"),
        (["--count", "2", "--seed", "-1"], "--seed"),
        ([], "--count"),
    ],
)
def test_wrong_arguments_are_usage_errors(
    tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    run = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "new")])
    assert run.exit_code == 2
    assert complaint in run.stderr
    assert not (tmp_path / "new").exists()


def test_the_command_leaves_an_existing_folder_alone(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["--count", "2", "--out", str(tmp_path)])
    assert run.exit_code == 2
    assert "exists" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_one_line_on_stderr(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = CliRunner().invoke(main, ["--count", "1", "--out", str(tmp_path / "file" / "new")])
    assert run.exit_code == 1
    assert "can't be written" in run.stderr
    assert "Traceback" not in run.output
