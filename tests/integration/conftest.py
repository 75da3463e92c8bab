"""Fixtures of the tests that start real servers and real processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
_FOLDERS = ("HOME", "WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these tests are slow; `items` are those of every folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def wandb_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real client with a key and folders of its own, and a service that ends with the test."""
    import wandb

    # An earlier test's run and service end first: their name in the environment must not come back.
    wandb.finish()
    wandb.teardown()
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in _FOLDERS:
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("WANDB_API_KEY", API_KEY)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("WANDB_CONSOLE", "off")
    yield
    wandb.finish()
    wandb.teardown()


@pytest.fixture
def wandb_server(wandb_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    """A loopback W&B server that the client is pointed at."""
    with WandbServer() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        yield server
        # A run that is still open is uploaded at its end, for minutes when nobody answers.
        import wandb

        server.hang_on.clear()
        server.refuse.clear()
        wandb.finish()
