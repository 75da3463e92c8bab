from __future__ import annotations

import re
from pathlib import Path

import pytest

from ocr_baseline.analysis.findings.catalogue import CATALOGUE
from ocr_baseline.analysis.findings.kind import Kind

PAGE = Path(__file__).parents[4] / "docs" / "symptoms.md"


def entries() -> dict[str, str]:
    """Return the page's entries by the id that each is about."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^### `([\w-]+)`\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(dict(found)) == len(found)
    return dict(found)


def part(entry: str, name: str) -> str:
    """Return what an entry says under one of its words, on one line."""
    (found,) = re.findall(rf"^- \*\*{name}\.\*\* (.*?)(?=^- |\Z)", entry, re.MULTILINE | re.DOTALL)
    return " ".join(found.split())


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def test_the_page_from_symptom_to_answer_has_an_entry_for_every_kind_and_no_other() -> None:
    assert set(entries()) == {kind.id for kind in CATALOGUE}


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.id)
def test_an_entry_says_when_the_kind_is_found_by_which_threshold_and_what_it_saves(
    kind: Kind,
) -> None:
    entry = entries()[kind.id]
    assert part(entry, "When") == sentence(kind.when)
    assert part(entry, "Threshold") == sentence(kind.thresholds)
    assert part(entry, "Saving") == sentence(kind.saving)


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.id)
def test_an_entry_says_what_the_kind_means_how_it_is_measured_and_what_to_do(kind: Kind) -> None:
    entry = entries()[kind.id]
    meaning = entry.partition("- **When.**")[0].strip()
    assert len(meaning) > 20
    assert [len(part(entry, name)) > 20 for name in ("Measured", "Do")] == [True, True]


def test_every_kind_is_found_from_what_someone_sees() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("\n## ")[0]
    assert set(re.findall(r"\(#([\w-]+)\)", table)) == {kind.id for kind in CATALOGUE}


def test_every_kind_has_an_id_of_its_own() -> None:
    ids = [kind.id for kind in CATALOGUE]
    assert len(set(ids)) == len(ids)
