"""Baseline documents on disk, read with their version checked, and their JSON Schema."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NoReturn

from pydantic import ValidationError

from ocr_baseline.errors import SchemaError
from ocr_baseline.files import read_bytes
from ocr_baseline.model.document import SCHEMA_NAME, SCHEMA_VERSION, Baseline

if TYPE_CHECKING:
    from pathlib import Path

JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_READABLE_MAJOR = int(SCHEMA_VERSION.partition(".")[0])


def read_baseline(path: Path) -> Baseline:
    """Return the baseline document in a file; fields that a newer minor version added are ignored.

    Raises:
        SourceError: When the file can't be read.
        SchemaError: When it is not JSON, not a baseline, of a newer major version, or when a field
            holds what it may not; the message names the file.
    """
    return parse_baseline(read_bytes(path), str(path))


def parse_baseline(content: bytes, place: str) -> Baseline:
    """Return the baseline document in some bytes; `place` is where they came from.

    Raises:
        SchemaError: As `read_baseline` does.
    """
    return _read_quickly(content) or _read_with_reasons(content, place)


def _read_quickly(content: bytes) -> Baseline | None:
    """Return the document when nothing is wrong with it, three times as fast as with reasons."""
    if b"NaN" in content or b"Infinity" in content:
        return None
    try:
        baseline = Baseline.model_validate_json(content)
    except ValidationError:
        return None
    given = baseline.model_fields_set
    is_stated = "schema_name" in given and "schema_version" in given
    return baseline if is_stated and _major(baseline.schema_version) == _READABLE_MAJOR else None


def _read_with_reasons(content: bytes, place: str) -> Baseline:
    document = _parse(place, content)
    _check_version(place, document)
    try:
        return Baseline.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise SchemaError(f"{place} is not a valid baseline: {where}: {first['msg']}") from error


def json_schema() -> str:
    """Return the JSON Schema of the document as JSON text."""
    schema = {"$schema": JSON_SCHEMA_DIALECT, **Baseline.model_json_schema(by_alias=True)}
    # `read_baseline` refuses a document without them; the model fills them in when one is built.
    schema["required"] = ["schema", "schema_version", *schema["required"]]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _parse(place: str, content: bytes) -> object:
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{place} is not JSON: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} isn't a JSON number")


def _check_version(place: str, document: object) -> None:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA_NAME:
        raise SchemaError(
            f'{place} is not a baseline: its "schema" is not "{SCHEMA_NAME}"; '
            "give a baseline.json that this project wrote"
        )
    version = document.get("schema_version")
    major = _major(version)
    if major is None:
        raise SchemaError(f'{place} has no readable "schema_version": {str(version)[:40]!r}')
    if major != _READABLE_MAJOR:
        advice = "upgrade ocr-baseline" if major > _READABLE_MAJOR else "write it again"
        raise SchemaError(
            f"{place} is of schema version {version}, this program reads {_READABLE_MAJOR}.x: "
            f"{advice}"
        )


def _major(version: object) -> int | None:
    major = version.partition(".")[0] if isinstance(version, str) else ""
    return int(major) if re.fullmatch("[0-9]{1,9}", major) else None
