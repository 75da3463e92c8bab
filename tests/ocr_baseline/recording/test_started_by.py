"""The command of a process and the folder that it was started in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, os
os.chdir("/")
from ocr_baseline.recording.started_by import started_by
print(json.dumps(started_by()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["src/train.py", "./src/train.py", "../run/src/train.py"])
def test_the_folder_is_where_a_script_was_started_though_it_has_gone_elsewhere(
    repository: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "run"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, name],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(repository)},
        capture_output=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert Path(told["working_folder"]) == folder
    assert told["command"][-1] == name
