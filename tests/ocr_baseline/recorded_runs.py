"""Run folders with records on disk, as a training leaves them."""

from __future__ import annotations

from pathlib import Path

from ocr_baseline.measure.recorder import Recorder
from ocr_baseline.vocabulary import Stage


def record(folder: Path, run_id: str, batches: int) -> Path:
    """Leave the records of a training of some batches in a run's folder."""
    recorder = Recorder(folder / "baseline" / "records")
    recorder.write_header({"run": {"id": run_id}})
    recorder.resume()
    recorder.open_stage(Stage.TRAIN, 0)
    for batch_idx in range(batches):
        recorder.begin_fetch()
        recorder.end_fetch()
        recorder.begin_batch(batch_idx, 0, 4)
        recorder.finish_batch()
    recorder.close()
    return folder
