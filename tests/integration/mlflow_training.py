"""A training whose loggers are MLflow's, which publishes its report: `python … FOLDER SERVER_URL`.

It prints the ids of its runs as JSON: `server`, and `folder` for that in FOLDER/mlruns. A process
of its own, as Lightning's logger sets the client's tracking URI for a whole process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

BATCHES = 6
EPOCHS = 2
CLIENT_LIMIT_S = 60.0


def main(folder: Path, server_url: str) -> None:
    from lightning.pytorch import Trainer, seed_everything
    from lightning.pytorch.demos.boring_classes import BoringModel
    from lightning.pytorch.loggers import MLFlowLogger

    from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback

    loggers = {
        "server": MLFlowLogger("receipts", "calm", tracking_uri=server_url),
        "folder": MLFlowLogger("receipts", "calm", save_dir=str(folder / "mlruns")),
    }
    report = BaselineReportCallback(
        sources=["mlflow"], wandb_timeout_s=CLIENT_LIMIT_S, publish=["mlflow"]
    )
    seed_everything(0)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        limit_train_batches=BATCHES,
        limit_val_batches=BATCHES,
        default_root_dir=folder,
        logger=list(loggers.values()),
        callbacks=[PerformanceProfilerCallback(), report],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(BoringModel())
    print(json.dumps({name: logger.run_id for name, logger in loggers.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
