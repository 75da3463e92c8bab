"""A Hydra job that records batches as the profiler would, without torch, and ends as it is told."""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime, timezone
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.vocabulary import Stage


def record(folder: Path, batches: int) -> Recorder:
    """Record training and validation batches; the file is left open, as by a run that goes on."""
    recorder = Recorder(folder)
    now = datetime.now(timezone.utc).isoformat()
    recorder.write_header({"run": {"id": "run-1"}, "written_at": now})
    recorder.resume()
    for stage in (Stage.TRAIN, Stage.VALIDATION):
        recorder.open_stage(stage, 0)
        for number in range(batches):
            recorder.begin_fetch()
            recorder.end_fetch()
            recorder.begin_batch(number, 0, 2)
            recorder.finish_batch()
        recorder.close_stage(stage)
    recorder.flush(with_samples=True)
    return recorder


@hydra.main(version_base="1.3", config_path=None, config_name="app")
def main(cfg: DictConfig) -> float:
    """Record, then end as `cfg.end` says."""
    if cfg.batches:
        output = Path(HydraConfig.get().runtime.output_dir)
        record(output / "baseline" / "records", cfg.batches)
    if cfg.end == "raise":
        raise ValueError("bad batch from https://me:hunter2@host/data")
    if cfg.end == "exit":
        sys.exit(3)
    if cfg.end == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
    if cfg.end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if cfg.end == "modules":
        print(*sorted({name.split(".")[0] for name in sys.modules}))
    return 0.5


if __name__ == "__main__":
    main()
