"""One run of a command."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.skipif(sys.platform != "linux", reason="what Linux alone offers")
def test_a_run_does_not_go_on_alone_where_the_one_who_waits_for_it_is_killed(
    repository: Path, tmp_path: Path
) -> None:
    code = (
        "from pathlib import Path; from ocr_baseline.trials.process import run_logged; "
        "run_logged(['bash', '-c', 'exec >pipe; echo ready; exec sleep 60'], {}, Path('log'))"
    )
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(repository)},
    )
    with (tmp_path / "pipe").open("rb", buffering=0) as pipe:
        assert pipe.readline() == b"ready\n"
        process.kill()
        process.wait()
        assert select.select([pipe], [], [], 10)[0], "the run goes on"  # its end, as it is gone
        assert pipe.read() == b""
