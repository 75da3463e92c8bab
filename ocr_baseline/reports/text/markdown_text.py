"""Markdown that no text from outside can break: escapes, code spans, links, tables, fences.

The target is GitHub's dialect. `MarkdownText` marks what is Markdown already; any other text is
escaped before it reaches a document.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ocr_baseline.reports.text import formatting
from ocr_baseline.reports.text.plain_text import name_of, single_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Characters that start markup, each only where GitHub's dialect would read it as markup.
_MARKUP = re.compile(
    r"[\\`*\[\]~$]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # an underscore inside a word is plain
    r"|<(?=[A-Za-z/!?])"
    r"|&(?=#?\w+;)"
    r"|#(?=\d)"  # a reference to an issue
    r"|(?<!\S):(?=\w+:)"  # an emoji's short name
)
_BLOCK_START = re.compile(r"^(?:[#>]|::|[-+](?=\s|$)|[-=](?=[-=\s]*$))")
_ORDERED_ITEM = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
# What GitHub turns into a link or a mention without any markup.
_LINKED = re.compile(r"(\S*(?:://|\bwww\.|@)\S*)", re.IGNORECASE)
_CODE_SPAN = re.compile(r"`([^`]*[^`\s][^`]*)`")
_URL_CHARACTERS = "/:?#[]@!$&*+,=%~-._"
_BACKTICKS = re.compile(r"`+")
_SUMMARY = re.compile("<summary>(.*)</summary>")


MAX_PADDED = 42
"""Columns to which a cell is filled up with spaces: a long name isn't paid for in every row."""


class MarkdownText(str):
    """Text that is Markdown already and goes into a document unchanged."""

    __slots__ = ()


def escape(text: str) -> MarkdownText:
    """Return text as one line of Markdown that renders as the text itself.

    Addresses and mentions become code spans, so that nothing links without being meant to.
    """
    return _escape_line(single_line(text))


def code(name: str) -> MarkdownText:
    """Return a name as a code span, which shows it letter by letter and links to nothing."""
    # A backslash before a pipe can't be written in a code span inside a table.
    shown = name_of(name).replace(r"\|", "\\\u00a6")
    longest_run = max((len(run) for run in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * (longest_run + 1)
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return MarkdownText(f"{fence}{pad}{shown}{pad}{fence}")


def prose(text: str) -> MarkdownText:
    """Return a sentence whose code spans of single backticks stay and whose rest is escaped."""
    if isinstance(text, MarkdownText):
        return text
    parts = _CODE_SPAN.split(single_line(text))
    return MarkdownText(
        "".join(code(part) if index % 2 else _escape_line(part) for index, part in enumerate(parts))
    )


def link(name: str, url: str | None) -> MarkdownText:
    """Return a name that links to an http or https address, or the name alone without one."""
    if url is None:
        return code(name)
    try:
        parts = urlsplit(single_line(url))
    except ValueError:
        return code(name)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return code(name)
    return MarkdownText(f"[{code(name)}]({quote(parts.geturl(), safe=_URL_CHARACTERS)})")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> MarkdownText:
    """Return a table whose columns line up in the source too, as far as they are narrow.

    `align` has a letter for each column: `l` (the default) or `r`.
    """
    aligns = align.ljust(len(headers), "l")[: len(headers)]
    grid = [[_cell(text) for text in row] for row in (headers, *rows)]
    widths = [
        min(MAX_PADDED, max(3, *(len(row[column]) for row in grid)))
        for column in range(len(headers))
    ]
    rule = [
        "-" * (width - 1) + ":" if side == "r" else "-" * width
        for width, side in zip(widths, aligns, strict=True)
    ]
    lines = [_row(grid[0], widths, aligns), "| " + " | ".join(rule) + " |"]
    lines.extend(_row(row, widths, aligns) for row in grid[1:])
    return MarkdownText("\n".join(lines))


def fraction_bar(fraction: float | None) -> MarkdownText:
    """Return a bar for a fraction between 0 and 1, or nothing when there is none."""
    drawn = formatting.bar(fraction)
    return code(drawn) if drawn else MarkdownText()


def fenced(text: str, language: str) -> MarkdownText:
    """Return text as a code block whose fence is longer than any run of backticks inside."""
    longest_run = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest_run + 1)
    return MarkdownText(f"{fence}{language}\n{text.rstrip()}\n{fence}")


def folded(title: str, blocks: Iterable[str]) -> MarkdownText:
    """Return blocks that open on a click on their title."""
    inner = "\n\n".join(blocks)
    summary = f"<details>\n<summary>{escape(title)}</summary>"
    return MarkdownText(f"{summary}\n\n{inner}\n\n</details>")


def within(max_bytes: int, blocks: Iterable[str], elsewhere: str) -> list[str]:
    """Return the blocks; where all are too long, the longest that are folded give way.

    Names can be of any length, and in any alphabet. `elsewhere` is Markdown that says where to
    find what isn't here.
    """
    kept = list(blocks)
    sizes = [len(block.encode("utf-8", "replace")) + 2 for block in kept]
    while sum(sizes) > max_bytes:
        longest = max(
            (place for place, block in enumerate(kept) if block.startswith("<details>")),
            key=sizes.__getitem__,
            default=None,
        )
        if longest is None:
            break
        (title,) = _SUMMARY.findall(kept[longest])[:1]
        kept[longest] = f"{title}: too long for this page; {elsewhere} has it."
        sizes[longest] = len(kept[longest].encode("utf-8", "replace")) + 2
    return kept


def _cell(text: str) -> str:
    # A pipe ends a cell even inside a code span; the backslash before it is the table's own.
    return prose(text).replace("|", r"\|")


def _escape_line(text: str) -> MarkdownText:
    parts = _LINKED.split(text)
    return MarkdownText(
        "".join(
            code(part) if index % 2 else _escape_markup(part) for index, part in enumerate(parts)
        )
    )


def _escape_markup(text: str) -> MarkdownText:
    escaped = _MARKUP.sub(lambda match: "\\" + match[0], text).replace("|", "&#124;")
    escaped = _ORDERED_ITEM.sub(r"\1\\\2", escaped)
    return MarkdownText(_BLOCK_START.sub(lambda match: "\\" + match[0], escaped))


def _row(cells: Sequence[str], widths: Sequence[int], aligns: str) -> str:
    padded = [
        cell.rjust(width) if side == "r" else cell.ljust(width)
        for cell, width, side in zip(cells, widths, aligns, strict=True)
    ]
    return "| " + " | ".join(padded) + " |"
