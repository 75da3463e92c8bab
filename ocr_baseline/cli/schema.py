"""`ocr-baseline schema`: the JSON Schema of baseline.json."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli.options import output_option, write_or_print


@click.command(name="schema")
@output_option()
def command(output: Path | None) -> None:
    """Print the JSON Schema of the baseline document."""
    # pydantic takes longer to import than `--help` may take.
    from ocr_baseline.model.document_file import json_schema

    write_or_print(json_schema(), output)
