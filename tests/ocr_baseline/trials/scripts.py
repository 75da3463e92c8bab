"""Small programs in place of a training: they leave a baseline where they are asked to."""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = """
import os, sys, time
from pathlib import Path

repository, how = sys.argv[1:3]
sys.path.insert(0, repository)
factor = float(os.environ.get("FACTOR", "1"))
if how == "fails":
    sys.exit("the disk is full")
if how == "hangs":
    print("waits", flush=True)
    time.sleep(600)
folder = Path(os.environ["OCR_BASELINE_OUTPUT_DIR"])
number = int(folder.parent.name.rpartition("-")[2])
if how == "fails-first" and number == 0:
    sys.exit("not yet")
Path(os.environ["OCR_BASELINE_SEEN"]).touch()
if how == "leaves-none":
    sys.exit()
if how == "sweeps":
    for job in "01":
        (folder / job).mkdir(parents=True)
        (folder / job / "baseline.json").write_text("{}")
    sys.exit()
from ocr_baseline.reports.run.json import render_json
from tests.ocr_baseline.comparison.measured_runs import baseline

status = "interrupted" if how == "interrupted" else "finished"
document = baseline(time.time_ns() % 10**9 // 1000, factor=factor, status=status)
document = document.model_copy(update={"series": str(os.getpid())})
folder.mkdir()
(folder / "baseline.json").write_text(render_json(document))
"""
REPOSITORY = Path(__file__).parents[3]


def script(folder: Path, how: str = "works") -> list[str]:
    """Write the program; return the command that starts it."""
    path = folder / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return [sys.executable, str(path), str(REPOSITORY), how]
