"""A program that leaves an offline W&B run behind: `python … FOLDER ROWS [kill]`.

With `kill` it dies as a process does that runs out of memory, once its rows are on disk.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

DEADLINE_S = 60


def main(folder: Path, rows: int, *, is_killed: bool) -> None:
    import wandb

    config = {"lr": 0.001, "logger": {"api_key": "s3cret"}}
    run = wandb.init(mode="offline", dir=folder, project="baseline", name="calm", config=config)
    for epoch in range(rows):
        run.log({"loss": 0.5, "note": "x" * 200})
        run.log({"performance/train_epoch_time": 10.0 + epoch, "epoch": epoch})
        run.log({"performance": {"val_epoch_time": 2.0 + epoch}, "epoch": epoch})
    if not is_killed:
        run.log({"performance/val_batch_mean": float("nan"), "epoch": rows - 1})
        run.log({"histogram": wandb.Histogram([1, 2, 3])})
        run.summary["performance/val_num_batches"] = 8
        run.finish()
        return
    file = next(Path(run.dir).parent.glob("*.wandb"))
    began_s = time.monotonic()
    # The client's own service writes the file, and with a delay.
    while file.stat().st_size < 3 * 2**15 and time.monotonic() - began_s < DEADLINE_S:
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), is_killed=sys.argv[3:] == ["kill"])
