"""W&B runs that can't be read: one line with the cause and the remedy, in time."""

from __future__ import annotations

import os
import socket
import time
from importlib.util import find_spec

import pytest

from ocr_baseline.errors import SourceError
from ocr_baseline.sources.source import ReadOptions
from ocr_baseline.sources.wandb.api import load
from tests.integration.wandb_example_runs import finished_run
from tests.integration.wandb_server import WandbServer
from tests.integration.wandb_stored_run import StoredRun

OLDER_CLIENT = find_spec("wandb.apis.public.service_api") is None
"""It asks the server through `requests`, and has words of its own for what goes wrong."""
UNAUTHORIZED = "401 Client Error: Unauthorized"


def test_a_missing_run_is_named_with_what_to_check(wandb_server: WandbServer) -> None:
    with pytest.raises(
        SourceError, match=r"baseline/nothere at http.*does not exist.*check the id, the project"
    ):
        load("nothere", ReadOptions(project="baseline"))


def test_a_run_deleted_while_it_is_read_is_told(wandb_server: WandbServer) -> None:
    wandb_server.add(StoredRun(id="gone", deleted=True))

    with pytest.raises(SourceError, match="was deleted"):
        load("gone", ReadOptions(project="baseline"))


def test_a_refused_key_is_told_as_one(
    wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "f" * 40)
    cause = UNAUTHORIZED if OLDER_CLIENT else "user is not logged in"

    with pytest.raises(SourceError, match=rf"key was refused: {cause}.*; .*relogin"):
        load("abc123", ReadOptions(project="baseline"))


def test_a_key_of_the_wrong_form_is_told_as_one(
    wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "short")
    cause = UNAUTHORIZED if OLDER_CLIENT else "WANDB_API_KEY invalid"

    with pytest.raises(SourceError, match=f"refused: {cause}"):
        load("abc123", ReadOptions(project="baseline"))


def test_without_a_key_the_remedy_is_to_log_in(
    wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")

    with pytest.raises(SourceError, match="without an API key; `wandb login`"):
        load("abc123", ReadOptions(project="baseline"))


def test_a_server_in_error_is_told_with_its_answer(wandb_server: WandbServer) -> None:
    wandb_server.fail_with = 500
    cause = "500 Server Error" if OLDER_CLIENT else "HTTP 500: out of order"

    with pytest.raises(SourceError, match=f"could not be read: {cause}"):
        load("abc123", ReadOptions(project="baseline"))


def test_an_unreachable_server_is_told_soon_with_the_cause(
    wandb_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    began = time.monotonic()

    cause = "[Cc]onnection refused.*" if OLDER_CLIENT else "connection refused"
    with pytest.raises(SourceError, match=rf"read: .*{cause}; check the network"):
        load("abc123", ReadOptions(project="baseline"))

    assert time.monotonic() - began < 60


def test_an_invalid_server_url_is_told(
    wandb_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "nowhere")

    with pytest.raises(SourceError, match="settings are invalid; check WANDB_BASE_URL"):
        load("abc123", ReadOptions(project="baseline"))


def test_an_answer_that_the_client_can_not_use_is_not_put_down_to_its_settings(
    wandb_server: WandbServer,
) -> None:
    wandb_server.answer_nothing_to = {"GetDefaultEntity", "viewer"}

    with pytest.raises(SourceError, match="could not be read: "):
        load("abc123", ReadOptions(project="baseline"))


@pytest.mark.parametrize("operation", ["Viewer", "Run", "HistoryPage", "RunFullHistory"])
def test_a_hanging_server_is_given_up_in_time(wandb_server: WandbServer, operation: str) -> None:
    wandb_server.add(finished_run())
    wandb_server.hang_on = {operation}
    began = time.monotonic()

    with pytest.raises(SourceError, match=r"nothing came for 2 s|Timeout exceeded"):
        load("abc123", ReadOptions(project="baseline", timeout_s=2))

    assert time.monotonic() - began < 60


def test_reading_leaves_the_users_settings_and_environment_as_they_were(
    wandb_server: WandbServer,
) -> None:
    import wandb

    wandb_server.add(finished_run())
    wandb_server.hang_on = {"Run"}
    settings = wandb.setup().settings
    before = settings.model_dump()
    environment = dict(os.environ)

    with pytest.raises(SourceError):
        load("abc123", ReadOptions(project="baseline", timeout_s=1))

    assert settings.model_dump() == before
    assert dict(os.environ) == environment
