from __future__ import annotations

import re
from pathlib import Path

from ocr_baseline.analysis.findings.catalogue import CATALOGUE

PAGE = Path(__file__).parents[4] / "docs" / "findings.md"


def test_the_page_on_findings_holds_the_catalogue_as_it_is() -> None:
    rows = [
        f"| `{kind.id}` | {kind.when} | {kind.thresholds} | {kind.saving} |" for kind in CATALOGUE
    ]
    assert re.findall(r"^\| `.*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == rows


def test_every_kind_has_an_id_of_its_own() -> None:
    ids = [kind.id for kind in CATALOGUE]
    assert len(set(ids)) == len(ids)
