"""The process that asks the W&B client for a run: `… ENTITY/PROJECT/ID TIMEOUT_S OWN_NAMES`.

It prints JSON lines, one member each: `up`, `server` (a URL), `row` for each row with a known
metric, `progress` (rows read) now and then, and at last `run` (all but the rows) or `error` (a
message for the user). The client can hang beyond any timeout, at its exit too, and its settings
hold for a whole process: in one of its own it can be ended, and a training beside it is untouched.
"""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING

from ocr_baseline.sources.logged.keys import key_parser
from ocr_baseline.sources.logged.values import holds_metric
from ocr_baseline.sources.reader_process import say, say_up
from ocr_baseline.sources.wandb.errors import client_errors, explain

if TYPE_CHECKING:
    from wandb.apis.public import Run as WandbRun

    from ocr_baseline.sources.logged.keys import KeyParser

MAX_SYSTEM_ROWS = 10_000
_PAGE_ROWS = 10_000
_ROWS_BETWEEN_SIGNS = 1_000


def main() -> None:
    """Read the run that the first argument names and print what is found."""
    path, timeout_s, own_names = sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])
    try:
        import wandb
    except ImportError:
        say("error", f"W&B run {path}: reading it needs the package wandb: pip install wandb")
        return
    say_up()
    server = "the configured server"
    try:
        server = wandb.setup().settings.base_url
        say("server", server)
        _read(path, timeout_s, key_parser(own_names))
    except client_errors() as error:
        say("error", str(explain(error, path, server)))


def _read(path: str, timeout_s: float, parse: KeyParser) -> None:
    import wandb

    run = wandb.Api(timeout=math.ceil(timeout_s)).run(path)
    _say_rows(run, parse)
    system_rows = run.history(stream="system", samples=MAX_SYSTEM_ROWS, pandas=False)
    description = {
        "id": run.id,
        "project": run.project,
        "entity": run.entity,
        "name": run.name,
        "url": run.url,
        "state": run.state,
        "created_at": run.created_at,
        "config": dict(run.config),
        "summary": dict(run.summary_metrics),
        "system_rows": list(system_rows),
    }
    say("run", description)


def _say_rows(run: WandbRun, parse: KeyParser) -> None:
    """Print the whole history's rows with a known metric; `history()` would be a sample of it."""
    for count, row in enumerate(run.scan_history(page_size=_page_steps(run))):
        if count % _ROWS_BETWEEN_SIGNS == 0:
            say("progress", count)
        if holds_metric(row, parse):
            say("row", row)


def _page_steps(run: WandbRun) -> int:
    """Return how many steps to ask for at once, so that a page holds some 10,000 rows.

    A page is a range of steps: a run that logs with huge explicit steps would take thousands.
    """
    lines = getattr(run, "historyLineCount", None) or 0
    steps = run.lastHistoryStep + 1
    return _PAGE_ROWS * max(1, math.ceil(steps / lines)) if lines else _PAGE_ROWS


if __name__ == "__main__":
    main()
