"""The documentation's site: every page is in it, its links lead somewhere, and it builds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import ocr_baseline
from scripts import documentation

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "mkdocs.yml"


class _Settings(yaml.SafeLoader):
    """Reads mkdocs.yml, whose settings name Python functions, without calling any."""


_Settings.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def pages_of(entry: Any) -> Iterator[str]:
    """Yield the pages below an entry of the navigation."""
    if isinstance(entry, str):
        yield entry
    else:
        for below in entry.values() if isinstance(entry, dict) else entry:
            yield from pages_of(below)


def navigation() -> list[str]:
    settings = yaml.load(CONFIG.read_text(encoding="utf-8"), Loader=_Settings)  # noqa: S506 - safe
    return list(pages_of(settings["nav"]))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site") / "build" / "docs" / "pages"
    documentation.gather(target)
    return target


def test_every_page_and_every_run_of_the_gallery_is_in_the_navigation_once() -> None:
    expected = {path.name for path in (ROOT / "docs").glob("*.md")} | {"index.md", "api.md"}
    expected |= {name.lower() for name in documentation.ROOT_PAGES}
    runs = (path.name for path in documentation.GALLERY.iterdir() if path.is_dir())
    expected |= {f"gallery/{run}/{documentation.REPORT}" for run in runs}
    assert sorted(navigation()) == sorted(expected)


def test_the_api_reference_describes_every_public_name() -> None:
    described = re.findall(r"^::: ocr_baseline\.(\w+)$", documentation.api_page(), re.MULTILINE)
    assert described == ocr_baseline.__all__


@pytest.mark.slow
def test_links_of_the_pages_lead_to_pages_and_files_of_the_site(pages: Path) -> None:
    security = (pages / "security.md").read_text(encoding="utf-8")
    assert "](docs/" not in security
    contributing = (pages / "findings.md").read_text(encoding="utf-8")
    assert "](contributing.md#adding-a-finding)" in contributing
    assert (pages / "files" / "budgets.toml").read_bytes() == (ROOT / "budgets.toml").read_bytes()
    gallery = (pages / "gallery.md").read_text(encoding="utf-8")
    assert (
        "`demo`: [Markdown](gallery/demo/report.md), [page](gallery/demo/baseline.html)" in gallery
    )


@pytest.mark.slow
def test_a_link_that_leads_nowhere_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs" / "gallery").mkdir(parents=True)
    for name in (*documentation.ROOT_PAGES, "README.md"):
        (tmp_path / name).write_text("# A page\n")
    (tmp_path / "docs" / "page.md").write_text("```\n[shown](as-it-is.md)\n```\n[x](absent.md)\n")
    monkeypatch.setattr(documentation, "ROOT", tmp_path)
    with pytest.raises(documentation.LinkError, match=r"docs/page\.md links to .*absent\.md"):
        documentation.gather(tmp_path / "build")


@pytest.mark.slow
def test_the_gallery_holds_what_each_run_left_and_names_no_folder_of_the_machine(
    pages: Path,
) -> None:
    for run in documentation.GALLERY.glob("*/records"):
        folder = pages / "gallery" / run.parent.name
        assert {"report.md", "baseline.html", "baseline.json"} <= {
            path.name for path in folder.iterdir()
        }
        text = "".join(path.read_text(encoding="utf-8") for path in run.iterdir())
        assert not re.findall(r'"/(?:home|root|work|tmp|Users)/[^"]*"', text)


@pytest.mark.slow
def test_the_site_builds_in_strict_mode_without_a_network(pages: Path) -> None:
    """Broken links and anchors fail it; a proxy that isn't there stands in for no network."""
    pytest.importorskip("zensical", reason="the extra docs isn't installed")
    project = pages.parents[2]
    shutil.copy(CONFIG, project)
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, **nowhere, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    site = project / "build" / "docs" / "site"
    assert len(list(site.rglob("*.html"))) >= len(navigation())
    reference = (site / "api.html").read_text(encoding="utf-8")
    assert [
        name for name in ocr_baseline.__all__ if f'id="ocr_baseline.{name}"' not in reference
    ] == []
    remote = re.compile(r'<(?:link|script|img)[^>]* (?:href|src)="(?:https?:)?//[^"]*"')
    for page in site.rglob("*.html"):
        assert not remote.findall(page.read_text(encoding="utf-8")), page.name
