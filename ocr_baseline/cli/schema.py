"""`ocr-baseline schema`: the JSON Schema of baseline.json."""

from __future__ import annotations

from pathlib import Path

import click

from ocr_baseline.cli import streams


@click.command(name="schema")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it here [default: stdout].",
)
def command(output: Path | None) -> None:
    """Print the JSON Schema of the baseline document."""
    # pydantic takes longer to import than `--help` may take.
    from ocr_baseline.files import write_text_atomically
    from ocr_baseline.model.document_file import json_schema

    if output is None:
        streams.print_data(json_schema())
    else:
        write_text_atomically(output, json_schema())
        streams.print_message(f"Wrote {output}")
