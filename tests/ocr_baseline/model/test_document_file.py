from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from ocr_baseline.errors import BaselineError, SchemaError, SourceError
from ocr_baseline.files import write_parts_atomically, write_text_atomically
from ocr_baseline.model.document_file import json_schema, read_baseline
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.examples import EXAMPLES, full_baseline


def written(path: Path, **changes: object) -> Path:
    document = json.loads(render_json(full_baseline())) | changes
    path.write_text(json.dumps(document))
    return path


def test_a_written_document_is_read_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    write_text_atomically(path, render_json(full_baseline()))
    assert read_baseline(path) == full_baseline()


def test_unknown_fields_of_a_newer_minor_version_are_ignored(tmp_path: Path) -> None:
    path = written(tmp_path / "b.json", schema_version="1.7", energy_j={"total": 5})
    assert read_baseline(path).run == full_baseline().run


def test_a_newer_major_version_is_refused_with_the_advice_to_upgrade(tmp_path: Path) -> None:
    path = written(tmp_path / "b.json", schema_version="2.0")
    with pytest.raises(SchemaError, match=r"b\.json is of schema version 2\.0.*upgrade"):
        read_baseline(path)


@pytest.mark.parametrize("version", [None, "", "one", "x.1", 1.0, "²"])
def test_an_unreadable_version_is_refused(tmp_path: Path, version: object) -> None:
    with pytest.raises(SchemaError, match="no readable"):
        read_baseline(written(tmp_path / "b.json", schema_version=version))


@pytest.mark.parametrize(
    "content",
    ["", "{", "# Report", '{"a": NaN}', "[" * 100_000, "\x00", '{"n": ' + "9" * 5000 + "}"],
    ids=["empty", "cut", "markdown", "nan", "deep", "null byte", "long number"],
)
def test_what_is_not_json_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(content)
    with pytest.raises(SchemaError, match=r"b\.json is not JSON"):
        read_baseline(path)


def test_binary_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SchemaError):
        read_baseline(path)


@pytest.mark.parametrize("content", ["[]", "1", "null", "{}", '{"schema": "other"}'])
def test_json_that_is_no_baseline_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(content)
    with pytest.raises(SchemaError, match="is not a baseline"):
        read_baseline(path)


def test_a_wrong_field_is_named(tmp_path: Path) -> None:
    phases = [{"name": "train", "total_s": "long"}]
    with pytest.raises(SchemaError, match=r"phases\.0\.total_s"):
        read_baseline(written(tmp_path / "b.json", phases=phases))


def test_a_number_too_large_for_a_float_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "b.json", phases=[{"name": "train", "total_s": 123456}])
    path.write_text(path.read_text().replace("123456", "1e999"))
    with pytest.raises(SchemaError, match=r"phases\.0\.total_s"):
        read_baseline(path)


def test_a_file_that_is_not_there_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent\.json"):
        read_baseline(tmp_path / "absent.json")
    with pytest.raises(SourceError):
        read_baseline(tmp_path)


def test_writing_makes_missing_folders_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "report.md"
    write_text_atomically(path, "µ\n")
    assert path.read_bytes() == "µ\n".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["report.md"]


def test_an_earlier_file_survives_a_failed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.md"
    path.write_text("earlier")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(BaselineError, match=r"report\.md: No space left"):
        write_text_atomically(path, "new")
    assert path.read_text() == "earlier"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.md"]


def test_an_earlier_file_survives_a_text_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "batches.csv"
    path.write_text("earlier")

    def parts() -> Iterator[str]:
        yield "first part"
        raise MemoryError

    with pytest.raises(MemoryError):
        write_parts_atomically(path, parts())
    assert path.read_text() == "earlier"
    assert [entry.name for entry in tmp_path.iterdir()] == ["batches.csv"]


def test_writing_keeps_the_mode_of_an_earlier_file_and_follows_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.md", tmp_path / "link.md"
    target.write_text("earlier")
    target.chmod(0o640)
    link.symlink_to(target)
    write_text_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_writing_over_a_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=tmp_path.name):
        write_text_atomically(tmp_path, "text")
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_text_atomically(Path(os.devnull), "text")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.fixture(scope="module")
def published() -> jsonschema.Draft202012Validator:
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_document_passes_the_published_schema(
    name: str, published: jsonschema.Draft202012Validator
) -> None:
    published.validate(json.loads(render_json(EXAMPLES[name]())))


def test_the_published_schema_asks_for_the_schema_and_its_version(
    published: jsonschema.Draft202012Validator,
) -> None:
    document = json.loads(render_json(full_baseline()))
    del document["schema"]
    with pytest.raises(jsonschema.ValidationError):
        published.validate(document)
