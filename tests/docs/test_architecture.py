"""ARCHITECTURE.md describes the package that is there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ocr_baseline"
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PAGE = FENCED.sub("", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
CODE = re.compile(r"`([^`]+)`")


def section(heading: str) -> str:
    (found,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def rooms() -> list[list[str]]:
    """Return the modules and folders of each row of the table of rooms, from the bottom up."""
    rows = [line.split("|")[1] for line in section("The rooms").splitlines() if "| `" in line]
    return [
        [name.removesuffix(".py").removesuffix("/") for name in CODE.findall(row)] for row in rows
    ]


def test_the_table_of_rooms_names_every_module_and_folder_of_the_package() -> None:
    there = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()}
    named = [name for row in rooms() for name in row]
    assert len(set(named)) == len(named)
    assert set(named) == there - {"__init__", "__pycache__", "py.typed"}


def test_the_rooms_stand_in_the_order_that_the_import_contract_holds_them_to() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if "containers" in each]
    floors = [set(re.findall(r"\w+", layer)) for layer in reversed(layers)]
    assert [set(row) for row in rooms()] == floors


def test_every_file_that_the_page_names_is_there() -> None:
    named = {name for name in CODE.findall(PAGE) if re.fullmatch(r"[\w/]+(\.py|/)", name)}
    # A row of the table of rooms names what its room holds.
    places = [ROOT, PACKAGE, *(room for room in PACKAGE.iterdir() if room.is_dir())]
    assert len(named) > 50
    assert not [name for name in named if not any((place / name).exists() for place in places)]


def test_each_walk_names_as_many_files_as_it_says() -> None:
    walks = re.findall(r"^(\d+) files:\n(.*?)(?=^###|\Z)", section("Two walks"), re.M | re.S)
    assert len(walks) == 2
    for count, walk in walks:
        rows = [line.split("|")[1] for line in walk.splitlines() if "| `" in line]
        assert len({name for row in rows for name in CODE.findall(row)}) == int(count)


def test_there_are_ten_decisions_with_their_reasons() -> None:
    decisions = re.findall(r"^(\d+)\. \*\*.+?\*\*\s+\S", PAGE, re.MULTILINE)
    assert decisions == [str(number) for number in range(1, 11)]
