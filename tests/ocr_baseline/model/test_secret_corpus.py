"""Leaks and false alarms over a corpus, counted."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.redaction_corpus import entries
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


needs_oracle = pytest.mark.skipif(
    not importlib.util.find_spec("detect_secrets"), reason="needs detect-secrets"
)


def kinds_found(folder: Path, line: str) -> set[str]:
    """Return what detect-secrets finds in a file of one line, with all its detectors."""
    scan = importlib.import_module("detect_secrets.core.scan")
    settings = importlib.import_module("detect_secrets.settings")
    file = folder / "settings.txt"
    file.write_text(line + "\n", encoding="utf-8")
    with settings.default_settings():
        return {secret.type for secret in scan.scan_file(str(file))}


PASSED_BY_THE_ORACLE = {
    "slack": "its rule wants numbers, each with a dash, before the last part",
    "databricks": "it has no rule, 16 digits have 4 bits each, and its limit is 4.5",
    "vault": "it has no rule, and the dot ends what it takes for base64",
    "short unnamed": "22 characters can't have the 4.5 bits each that its rule asks for",
}
"""Tokens that detect-secrets doesn't find, each with what its rules lack."""

ALARMS_OF_THE_ORACLE_ALONE = {
    "sha256:": "a checksum is a hexadecimal string to it, whatever stands before",
    "secret=unset, token=unset": "its keyword rule takes any word after `secret=`",
}
"""Innocents that detect-secrets takes for secrets, by their beginnings."""


@needs_oracle
@pytest.mark.parametrize(("name", "token"), list(tokens()))
def test_a_token_in_a_line_of_source_goes_and_detect_secrets_agrees_or_has_no_rule(
    name: str, token: str, tmp_path: Path
) -> None:
    line = f'x = "{token}"'
    assert token not in redact_text(line)
    assert bool(kinds_found(tmp_path, line)) is (name not in PASSED_BY_THE_ORACLE)


@needs_oracle
@pytest.mark.slow
def test_what_detect_secrets_finds_in_the_unseen_corpus_goes_too(tmp_path: Path) -> None:
    found = [
        draws[0]
        for draws in entries("leaks")
        if draws[0].place == "text" and kinds_found(tmp_path, draws[0].text)
    ]
    assert len(found) >= 50
    assert [e.template for e in found if e.is_left_in(redact_text(e.text))] == []


@needs_oracle
@pytest.mark.slow
def test_an_innocent_that_alarms_detect_secrets_is_of_a_known_kind_and_stays(
    tmp_path: Path,
) -> None:
    texts = [draws[0].text for draws in entries("innocents") if draws[0].place == "text"]
    alarms = [text for text in texts if kinds_found(tmp_path, text)]
    assert [text for text in alarms if redact_text(text) != text] == []
    known = tuple(ALARMS_OF_THE_ORACLE_ALONE)
    assert [a for a in alarms if not a.startswith(known)] == []
    assert len(alarms) == len(known)


def test_the_value_of_a_secret_variable_goes_wherever_it_appears(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEAM_PASSWORD", "corr-horse-9")
    assert redact_text("section corr-horse-9 of x") == f"section {REDACTED} of x"
    assert outward({"op:corr-horse-9": [1]}) == {f"op:{REDACTED}": [1]}


def test_the_value_of_a_secret_variable_may_be_of_another_encoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEAM_PASSWORD", "corr-h\udcf6rse-9")
    assert redact_text("section corr-h\udcf6rse-9 of x") == f"section {REDACTED} of x"


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


@pytest.mark.slow
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_the_gate_twice_changes_nothing_more(text: str) -> None:
    once = outward_text(text)
    assert outward_text(once) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[('token', 'aB3xY7qLm2Zt')]", f"[('token', {REDACTED})]"),
        ("<password>hunter27</password>", f"<password>{REDACTED}</password>"),
        ("self.secret: str = 'hunter27x'", f"self.secret: str = {REDACTED}"),
        ("ann:QxRtZuIo@tcp(db:3306)/x", f"ann:{REDACTED}@tcp(db:3306)/x"),
        ("https://host/x?sig=abcQRS+tuv/wx", f"https://host/x?sig={REDACTED}"),
        ("ssh://git@github.com/lab/x.git", "ssh://git@github.com/lab/x.git"),
        ("MBConv6x3x3SE025", "MBConv6x3x3SE025"),
    ],
)
def test_secrets_go_in_the_forms_that_texts_give_them(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "config",
    [
        {"api": {"key": "ewzyRZLAzimCMECEcdJM"}},
        {"Key": "ApiToken", "Value": "hunter27"},
        {"mot_de_passe": "hunter27"},
        {"smtp_pass": "hunter27"},
    ],
)
def test_a_secret_goes_whatever_its_key_looks_like(config: dict[str, object]) -> None:
    values = {"hunter27", "ewzyRZLAzimCMECEcdJM"}
    assert [value for value in values if value in json.dumps(redact(config))] == []


def test_placeholders_and_turns_stay() -> None:
    innocent = {"api_key": "YOUR_API_KEY", "password": "changeme", "forward_pass": "stage2"}
    assert redact(innocent) == innocent
