"""The keys of callbacks that the pages name are those of the configurations that ship."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "ocr_baseline" / "hydra" / "configs" / "ocr_baseline"
PAGES = sorted(path for folder in (".", "docs") for path in (ROOT / folder).glob("*.md"))
KEY = re.compile(r"(?<![\w./])(hydra\.)?callbacks\.(\w+)(?:\.(\w+))?")


def shipped(name: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load((CONFIGS / name).read_text("utf-8"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_of_a_callback_that_a_page_names_is_shipped(page: Path) -> None:
    for in_hydra, entry, setting in KEY.findall(page.read_text(encoding="utf-8")):
        entries = shipped("hook.yaml" if in_hydra else "callbacks.yaml")
        assert entry in entries
        assert not setting or setting in entries[entry], f"{entry}.{setting}"


def test_the_pages_name_keys_of_the_profiler_the_report_and_the_hook() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {entry for _, entry, _ in KEY.findall(text)} == {
        *shipped("callbacks.yaml"),
        *shipped("hook.yaml"),
    }
