"""Gather the pages of the documentation's site: `python scripts/documentation.py FOLDER`.

The pages are those of `docs/` and of the repository's root, which link to each other and to files
as GitHub shows them. Here they come into one folder, with links that lead there. Pages that are
made rather than written come from what they describe: the API's from `ocr_baseline.__all__`, the
gallery's reports from records of real runs, by the renderers as they are.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

import ocr_baseline
from ocr_baseline.layout import HTML_NAME, MARKDOWN_NAME
from ocr_baseline.records import reader
from ocr_baseline.write import write_report

ROOT = Path(__file__).resolve().parents[1]
GALLERY = ROOT / "docs" / "gallery"
ROOT_PAGES = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
HOME = "index.md"
# Not the report's own name: its page is written beside it as baseline.html.
REPORT = "report.md"
FILES_FOLDER = "files"
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
_FENCED = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
_HAS_SCHEME = re.compile(r"[a-z]+:")


class LinkError(ValueError):
    """A page links to what isn't in the repository; the message names both."""


def gather(target: Path) -> None:
    """Write all pages, and the files that they link to, into an empty or new folder.

    Raises:
        LinkError: A relative link leads nowhere.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for page, name in _pages().items():
        text = _with_links_within(page, page.read_text(encoding="utf-8"), target)
        (target / name).write_text(text, encoding="utf-8")
    (target / "api.md").write_text(api_page(), encoding="utf-8")
    _write_gallery(target)


def api_page() -> str:
    """Return a page that has mkdocstrings describe every public name."""
    intro = (
        "# API reference\n\nThe public names of `ocr_baseline`, from their docstrings. "
        "[Python API](python_api.md) shows them in use.\n"
    )
    entries = (f"\n::: ocr_baseline.{name}\n" for name in ocr_baseline.__all__)
    return intro + "".join(entries)


def _pages() -> dict[Path, str]:
    """Return each page's file and its name on the site."""
    pages = {path: path.name for path in sorted((ROOT / "docs").glob("*.md"))}
    return pages | {ROOT / name: name.lower() for name in ROOT_PAGES} | {ROOT / "README.md": HOME}


def _with_links_within(page: Path, text: str, target: Path) -> str:
    """Return a page's text with its relative links leading to where things are on the site."""

    def rewritten(match: re.Match[str]) -> str:
        return match[1] + _place_on_site(page, match[2], target) + match[3]

    parts = _FENCED.split(text)
    # Every second part is a fenced block, whose text is shown as it is.
    return "".join(
        part if index % 2 else _LINK.sub(rewritten, part) for index, part in enumerate(parts)
    )


def _place_on_site(page: Path, link: str, target: Path) -> str:
    if _HAS_SCHEME.match(link) or link.startswith("#"):
        return link
    path, hash_sign, fragment = link.partition("#")
    linked = (page.parent / path).resolve()
    name = _pages().get(linked)
    if name is None:
        name = _copied(page, linked, target)
    return name + hash_sign + fragment


def _copied(page: Path, linked: Path, target: Path) -> str:
    if not linked.is_file() or not linked.is_relative_to(ROOT):
        raise LinkError(f"{page.relative_to(ROOT)} links to {linked}, which is no file in here")
    name = f"{FILES_FOLDER}/{linked.relative_to(ROOT).as_posix()}"
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(linked, target / name)
    return name


def _write_gallery(target: Path) -> None:
    """Write the report of each recorded run, and let the gallery's page link to them."""
    page = target / "gallery.md"
    text = page.read_text(encoding="utf-8")
    for run in sorted(path for path in GALLERY.iterdir() if path.is_dir()):
        _write_report(run, target / "gallery" / run.name)
        place = f"gallery/{run.name}"
        links = f"[Markdown]({place}/{REPORT}), [page]({place}/{HTML_NAME})"
        text = text.replace(f"| `{run.name}` |", f"| `{run.name}`: {links} |")
    page.write_text(text, encoding="utf-8")


def _write_report(run: Path, folder: Path) -> None:
    """Write what a run leaves in its folder, its Markdown as a page of the site."""
    written = write_report(reader.load(run), folder).folder / MARKDOWN_NAME
    # Python-Markdown reads what is inside an element as Markdown only where it is told to.
    text = written.read_text(encoding="utf-8").replace("<details>", '<details markdown="1">')
    (folder / REPORT).write_text(text, encoding="utf-8")
    written.unlink()


def main() -> None:
    """Gather the pages into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=gather.__doc__)
    parser.add_argument("folder", type=Path)
    gather(parser.parse_args().folder)


if __name__ == "__main__":
    main()
