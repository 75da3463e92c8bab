"""The report's page: what it weighs, how long making it takes, and how soon a browser paints it.

Runs of 10^3 to 10^6 batches are recorded on a simulated clock (`scale.py`). The time to the first
paint is the browser's own, from a file, the median of several. Where there is no Chromium it isn't
measured.

    python benchmarks/page.py [--batches 1000 10000 1000000] [--repeats 5]
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.scale import write_records
from benchmarks.tables import Goal, print_table
from ocr_baseline.analysis.analyze import analyze
from ocr_baseline.records import reader
from ocr_baseline.reports.registry import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
KILOBYTE = 1e3
SIZE_GOALS_KB = {1000: 150.0}
SIZE_GOAL_KB = 400.0
PAINT_GOAL_MS = 1000.0
FIRST_PAINT = (
    "performance.getEntriesByType('paint').find(one => one.name === 'first-contentful-paint')"
    ".startTime"
)


@contextlib.contextmanager
def chromium() -> Iterator[Browser | None]:
    """Start the system's Chromium without a window; None where there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Without the sandbox, which root can't have.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def first_paint_ms(browser: Browser, page: Path) -> float:
    """Return when the browser painted the page, counted from asking for it."""
    opened = browser.new_page()
    opened.goto(page.as_uri())
    opened.wait_for_function(f"() => {FIRST_PAINT.removesuffix('.startTime')}")
    painted_ms = float(opened.evaluate(FIRST_PAINT))
    opened.close()
    return painted_ms


def measure(
    batches: int, repeats: int, browser: Browser | None, folder: Path
) -> tuple[tuple[str, ...], list[Goal]]:
    """Return a row of the table, and what it says about the goals."""
    write_records(folder / "records", batches)
    run = reader.load(folder / "records")
    baseline = analyze(run)
    RUN["html"].of_run(baseline, run)  # imports, and the templates compiled
    begin_s = time.perf_counter()
    page = RUN["html"].of_run(baseline, run)
    made_s = time.perf_counter() - begin_s
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    size_kb = len(page.encode()) / KILOBYTE
    limit_kb = SIZE_GOALS_KB.get(batches, SIZE_GOAL_KB)
    goals = [Goal(f"page of {batches:,} batches, KB", size_kb, limit_kb)]
    painted = "not measured"
    if browser is not None:
        paint_ms = statistics.median(first_paint_ms(browser, file) for _ in range(repeats))
        painted = f"{paint_ms:.0f}"
        goals.append(Goal(f"first paint at {batches:,} batches, ms", paint_ms, PAINT_GOAL_MS))
    return (f"{batches:,}", f"{size_kb:.0f}", f"{made_s:.2f}", painted), goals


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=[1000, 10_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    rows, goals = [], []
    with chromium() as browser:
        for batches in options.batches:
            with tempfile.TemporaryDirectory() as folder:
                row, found = measure(batches, options.repeats, browser, Path(folder))
            rows.append(row)
            goals += found
    print_table(["batches", "page KB", "made in s", "first paint ms"], rows)
    return Goal.report(*goals)


if __name__ == "__main__":
    sys.exit(main())
