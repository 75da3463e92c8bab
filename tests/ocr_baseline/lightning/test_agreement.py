"""Ranks agree on one folder through torch's store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import distributed

from ocr_baseline.lightning.run.agreement import agreed
from ocr_baseline.recording.run_token import RunToken

AT_ONCE = timedelta(milliseconds=10)


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store that stands in for the one of a process group."""
    torch_distributed: Any = distributed  # torch leaves the store out of its types
    store = torch_distributed.HashStore()
    c10d = torch_distributed.distributed_c10d
    monkeypatch.setattr(c10d, "_get_default_store", lambda: store)
    return store


def trainer(rank: int) -> Any:
    return SimpleNamespace(world_size=2, global_rank=rank)


def test_rank_0_leaves_its_word_and_waits_for_nobody(tmp_path: Path, store: Any) -> None:
    token = RunToken()
    place, named = agreed(trainer(0), tmp_path, token)
    assert (place, named.name) == (tmp_path, token.name)
    assert store.num_keys() >= 1


def test_another_rank_gives_up_where_rank_0_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="every rank needs the callback"):
        agreed(trainer(1), tmp_path, RunToken(), AT_ONCE)
