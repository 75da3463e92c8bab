"""Leaks and false alarms over a corpus, counted."""

from __future__ import annotations

import importlib.util
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.model.privacy import (
    REDACTED,
    outward,
    outward_text,
    redact,
    redact_text,
    visible,
    without_commands,
)
from tests.ocr_baseline.model.secret_corpus import (
    INNOCENT_CONFIG,
    INNOCENT_TEXTS,
    secret_configs,
    secret_texts,
    tokens,
)


def test_the_corpus_is_large_enough_to_count_in() -> None:
    size = len(list(secret_texts())) + len(list(secret_configs()))
    assert size + len(INNOCENT_TEXTS) + len(INNOCENT_CONFIG) >= 300


def test_no_secret_of_the_corpus_leaks_from_a_text() -> None:
    assert [text for text, secret in secret_texts() if secret in redact_text(text)] == []


def test_no_secret_of_the_corpus_leaks_from_a_configuration() -> None:
    leaks = [config for config, secret in secret_configs() if secret in json.dumps(redact(config))]
    assert leaks == []


def test_innocent_texts_and_configurations_stay_as_they_are() -> None:
    assert [text for text in INNOCENT_TEXTS if outward_text(text) != text] == []
    assert redact(INNOCENT_CONFIG) == INNOCENT_CONFIG
    assert outward(INNOCENT_CONFIG) == INNOCENT_CONFIG


@pytest.mark.skipif(not importlib.util.find_spec("detect_secrets"), reason="needs detect-secrets")
def test_what_detect_secrets_finds_by_its_shape_goes_too() -> None:
    scan = importlib.import_module("detect_secrets.core.scan")
    settings = importlib.import_module("detect_secrets.settings")
    by_chance = {"Base64 High Entropy String", "Hex High Entropy String", "Secret Keyword"}
    found, left = 0, []
    with settings.default_settings():
        for name, token in tokens():
            kinds = {secret.type for secret in scan.scan_line(f'x = "{token}"')} - by_chance
            found += bool(kinds)
            if kinds and token in redact_text(f'x = "{token}"'):
                left.append(name)
        alarms = [
            text
            for text in INNOCENT_TEXTS
            if {secret.type for secret in scan.scan_line(text)} - by_chance
            and redact_text(text) != text
        ]
    assert found >= 4
    assert left == []
    assert alarms == []


def test_the_value_of_a_secret_variable_goes_wherever_it_appears(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEAM_PASSWORD", "corr-horse-9")
    assert redact_text("section corr-horse-9 of x") == f"section {REDACTED} of x"
    assert outward({"op:corr-horse-9": [1]}) == {f"op:{REDACTED}": [1]}


def test_two_names_that_are_shown_alike_stay_apart() -> None:
    first, second = (token for name, token in tokens() if name in {"github", "npm"})
    shown = outward({f"op:{first}": [1], f"op:{second}": [2]})
    assert shown == {f"op:{REDACTED}": [1], f"op:{REDACTED} (2)": [2]}


@pytest.mark.parametrize(
    "character", ["\u061c", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\x9b", "\x00"]
)
def test_no_invisible_character_passes(character: str) -> None:
    assert visible(f"a{character}b") == "ab"
    assert outward({f"a{character}": f"b{character}"}) == {"a": "b"}


def test_no_line_is_a_command_to_github_actions() -> None:
    shown = without_commands(visible("::error::x\n  ::warning::y\n##[command]z"))
    assert shown == ": :error::x\n  : :warning::y\n# #[command]z"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_the_gate_twice_changes_nothing_more(text: str) -> None:
    once = outward_text(text)
    assert outward_text(once) == once
