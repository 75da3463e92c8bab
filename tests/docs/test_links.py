"""Links, paths and make targets that the documentation names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for folder in (".", ".github", "docs") for path in (ROOT / folder).glob("*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
OWN_FOLDERS = "benchmarks|configs|docs|hydra_plugins|ocr|ocr_baseline|scripts|tests"
OWN_PATH = re.compile(rf"^(?:\.ci|{OWN_FOLDERS})/[\w./-]*$")
COMMAND_PATH = re.compile(r"(?<![\w./])((?:benchmarks|scripts|tests)/[\w/.-]+\.py)\b")
TEST_NAME = re.compile(r"\btest_\w+(?:\.py)?(?![\w…])")
"""A test or a file of tests; a name that ends in an ellipsis is only the beginning of one."""
MAKE_COMMAND = re.compile(r"(?:^ {4,}|`)make ([a-z]+)", re.MULTILINE)


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchor(heading: str) -> str:
    """Return the fragment that GitHub gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


@pytest.fixture(scope="module")
def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


@pytest.fixture(scope="module")
def known_tests() -> set[str]:
    files = list(ROOT.glob("tests/**/test_*.py"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return {path.name for path in files} | set(re.findall(r"\bdef (test_\w+)", code))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if fragment:
            headings = HEADING.findall(FENCE.sub("", target.read_text(encoding="utf-8")))
            assert fragment in map(anchor, headings), f"{page.name} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_of_this_repository_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {path for path in CODE.findall(text) if OWN_PATH.match(path)}
    named |= set(COMMAND_PATH.findall(text))
    absent = sorted(path for path in named if not (ROOT / path).exists() and "NAME" not in path)
    assert not absent, f"{page.name} names {absent}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path, known_tests: set[str]) -> None:
    named = {name for code in CODE.findall(prose(page)) for name in TEST_NAME.findall(code)}
    absent = sorted(name for name in named - known_tests if "NAME" not in name)
    assert not absent, f"{page.name} names {absent}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path, make_targets: set[str]) -> None:
    named = set(MAKE_COMMAND.findall(page.read_text(encoding="utf-8")))
    assert not sorted(named - make_targets), page.name
