"""How a user names a W&B run."""

from __future__ import annotations

import pytest

from ocr_baseline.errors import SourceError
from ocr_baseline.sources.wandb.reference import parse_reference


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("abc", "team/receipts/abc"),
        ("other/abc", "team/other/abc"),
        ("them/other/abc", "them/other/abc"),
        ("them/other/runs/abc", "them/other/abc"),
        ("https://wandb.ai/them/other/runs/abc", "them/other/abc"),
        ("https://wandb.ai/them/my%20project/runs/abc/overview?nw=x#y", "them/my project/abc"),
        ("https://host.example/wandb/them/other/runs/abc", "them/other/abc"),
        (" abc ", "team/receipts/abc"),
    ],
)
def test_each_form_names_the_run(text: str, path: str) -> None:
    assert parse_reference(text, project="receipts", entity="team").path == path


def test_without_an_entity_the_accounts_default_is_used() -> None:
    assert parse_reference("abc", project="receipts").path == "receipts/abc"


@pytest.mark.parametrize(
    "text", ["", "a/b/c/d", "a//c", "https://wandb.ai/them/other", "https://wandb.ai/runs/abc"]
)
def test_other_texts_are_refused_with_the_known_forms(text: str) -> None:
    with pytest.raises(SourceError, match=r"names no W&B run: give ID"):
        parse_reference(text, project="receipts")


def test_an_id_alone_needs_a_project() -> None:
    with pytest.raises(SourceError, match="Give its project"):
        parse_reference("abc")
