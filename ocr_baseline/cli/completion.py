"""Completion in a shell: click's, with what it can't know, the names in a store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, shell_complete

from ocr_baseline.layout import DEFAULT_STORE, STORE_VARIABLE

if TYPE_CHECKING:
    import click

VARIABLE = "_OCR_BASELINE_COMPLETE"
"""What a shell asks with, under the name that click's own scripts expect."""


def answer(application: click.Command, program: str) -> int | None:
    """Answer a shell that asks for completions; None when no shell asks."""
    instruction = os.environ.get(VARIABLE)
    if not instruction:
        return None
    return shell_complete(application, {}, program, VARIABLE, instruction)


def files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Leave it to the shell, which completes files and folders."""
    return [CompletionItem(incomplete, type="file")]


def names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of the store that begin so; a store at a URL isn't asked."""
    store = context.params.get("store") or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE
    try:
        found = sorted(entry.name for entry in Path(store).iterdir() if entry.is_dir())
    except OSError:
        return []
    return [CompletionItem(name) for name in found if name.startswith(incomplete)]


def runs(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return names that begin with what was typed, as they come before files; else files."""
    named = names(context, parameter, incomplete) if incomplete else []
    return named or files(context, parameter, incomplete)
