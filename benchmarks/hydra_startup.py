"""What the package's search path plugin costs the start of any Hydra application.

`python benchmarks/hydra_startup.py [--rounds N]`: a Hydra application of two lines, started in
turn with the plugin within reach and without it; a process for each start, medians. A start waits
for nothing, so processor time is its time on a machine that is idle, and on a busy one too.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tables import Goal, print_table

ROOT = Path(__file__).parents[1]
LIMIT_MS = 20.0
APPLICATION = """
import sys
root, is_installed = sys.argv.pop(1), sys.argv.pop(1) == "with"
sys.path = [entry for entry in sys.path if entry.rstrip("/") != root]
if is_installed:
    sys.path.append(root)
import hydra
@hydra.main(version_base="1.3", config_path="configs", config_name="train")
def main(cfg):
    # An editable install puts the project on every path; a start without it is one without it.
    assert ("hydra_plugins.ocr_baseline_plugin.search_path" in sys.modules) == is_installed
main()
"""


def main() -> int:
    """Measure, print a table and the goal; return 0 when the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "configs" / "callbacks").mkdir(parents=True)
        (folder / "configs" / "callbacks" / "default.yaml").write_text("{}\n")
        (folder / "configs" / "train.yaml").write_text("defaults:\n  - callbacks: default\n")
        (folder / "app.py").write_text(APPLICATION)
        wall_ms: dict[str, list[float]] = {"without": [], "with": []}
        processor_ms: dict[str, list[float]] = {"without": [], "with": []}
        for number in range(rounds + 1):
            for which in wall_ms:
                wall, processor = _start_ms(folder, which)
                if number:  # the first start of each fills the caches
                    wall_ms[which].append(wall)
                    processor_ms[which].append(processor)
    return _print(wall_ms, processor_ms)


def _start_ms(folder: Path, which: str) -> tuple[float, float]:
    """Return the wall and the processor time of one start."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    subprocess.run(
        [sys.executable, "app.py", str(ROOT), which, "hydra.run.dir=out"], cwd=folder, check=True
    )
    wall_s = time.perf_counter() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall_s * 1e3, processor_s * 1e3


def _print(wall_ms: dict[str, list[float]], processor_ms: dict[str, list[float]]) -> int:
    rows = [
        [
            f"{which} the plugin",
            f"{statistics.median(wall_ms[which]):.1f}",
            f"{statistics.median(processor_ms[which]):.1f}",
        ]
        for which in wall_ms
    ]
    print_table(["start of a Hydra application", "wall ms", "processor ms"], rows)
    added_ms = statistics.median(
        slower - faster
        for faster, slower in zip(processor_ms["without"], processor_ms["with"], strict=True)
    )
    return Goal.report(
        Goal("added by the plugin, processor ms (median of pairs)", added_ms, LIMIT_MS)
    )


if __name__ == "__main__":
    sys.exit(main())
