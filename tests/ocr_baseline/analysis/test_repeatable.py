"""The same records give the same document in every process, so that copies of a run are seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[3] / "docs" / "gallery"


def document(run: Path, hash_seed: str) -> dict[str, object]:
    command = [sys.executable, "-m", "ocr_baseline.cli", "report", str(run), "--format", "json"]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
    found: dict[str, object] = json.loads(done.stdout)
    del found["generated_at"]
    return found


@pytest.mark.parametrize("name", ["demo", "slow_data"])
def test_a_document_does_not_depend_on_the_hashes_of_its_process(name: str) -> None:
    assert document(GALLERY / name, "1") == document(GALLERY / name, "2")
