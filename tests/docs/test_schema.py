"""The published JSON Schema is that of the document."""

from __future__ import annotations

from pathlib import Path

from ocr_baseline.model.document_file import json_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "baseline.schema.json"


def test_the_published_schema_is_the_documents_own() -> None:
    assert PUBLISHED.read_text() == json_schema(), "renew it with: make docs"
