"""What a text must not give away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_baseline.model.privacy import REDACTED, USER, error_text, redact_text, shorten_paths
from ocr_baseline.model.privacy.paths import account


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token ghp_" + "a1B2" * 9, "ghp_"),
        ("github_pat_" + "a1_" * 9, "github_pat_a1"),
        ("glpat-abcdefghij_KLMNOPQR", "abcdefghij"),
        ("use hf_" + "aB3" * 10, "hf_aB3"),
        ("sk-proj-" + "aB3_" * 6, "aB3_"),
        ("xoxb-123456789012-abcdef", "123456789012"),
        ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
        ("AIza" + "SyA1b2C3d4" * 4, "SyA1b2C3d4"),
        ("key " + "0123456789abcdef" * 2 + "01234567", "0123456789abcdef"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSM", "eyJzdWIiOiIx"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE and no end", "MIIE"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("machine api.wandb.ai login me password hunter2", "hunter2"),
        ("connect failed: password=hunter2, host=db", "hunter2"),
        ("{'api_key': 'hunter2', 'lr': 1}", "hunter2"),
        ("DB_PASSWORD: hunter2", "hunter2"),
        ("s3://key:hunter2@bucket/x", "hunter2"),
    ],
)
def test_credentials_of_every_known_shape_go(text: str, secret: str) -> None:
    shown = redact_text(text)
    assert secret not in shown
    assert REDACTED in shown


@pytest.mark.parametrize(
    "text",
    [
        "resnet18 on 4 samples, lr=0.001",
        "tokenizer: bert-base, max_tokens=512",
        "commit 9637baf and sha256:0123abcd",
        "ratio 1:2 at 12:30:05, C:D",
        "the token of gratitude was given",
        "data/train/images-0001.jpg",
        "deadbeef" * 4,
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/alice/data/x.json", "~/data/x.json"),
        ("/home/alice", "~"),
        ("can't read '/Users/Alice/x'", "can't read '~/x'"),
        (r"C:\Users\alice\run", r"~\run"),
        ("/var/home/alice/x", "~/x"),
        ("/data/home/alice/x", "/data/home/alice/x"),
        ("s3://bucket/home/models", "s3://bucket/home/models"),
    ],
)
def test_home_folders_become_a_tilde(path: str, shown: str) -> None:
    assert shorten_paths(path) == shown


def test_the_accounts_own_home_and_name_in_paths_are_shortened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/srv/people/bjones"))
    monkeypatch.setattr("getpass.getuser", lambda: "bjones")
    account.cache_clear()
    try:
        assert shorten_paths("/srv/people/bjones/a") == "~/a"
        assert shorten_paths("/scratch/bjones/runs") == f"/scratch/{USER}/runs"
        assert shorten_paths("/scratch/bjones2/bjones.txt") == "/scratch/bjones2/bjones.txt"
        assert shorten_paths("/srv/people/bjones2/a") == "/srv/people/bjones2/a"
    finally:
        account.cache_clear()


def test_an_account_without_a_name_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nameless)
    account.cache_clear()
    try:
        assert shorten_paths("/data/x") == "/data/x"
    finally:
        account.cache_clear()


def test_an_errors_text_has_its_type_and_no_credentials() -> None:
    assert error_text(ValueError("https://a:b@host")) == f"ValueError: https://{REDACTED}@host"
    assert error_text(KeyboardInterrupt()) == "KeyboardInterrupt"


@pytest.mark.slow
@given(st.text(max_size=300))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@pytest.mark.parametrize(
    "unit",
    ["a", "-----BEGIN ", "a=", "://@", "/home/", "password ", "eyJaaaaaaaa.", "'", "?a&", "x:"],
)
def test_long_texts_take_bounded_time(unit: str) -> None:
    began_s = time.process_time()
    redact_text(unit * (100_000 // len(unit)))
    assert time.process_time() - began_s < 5.0
