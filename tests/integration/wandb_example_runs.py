"""Runs for a loopback W&B server to hold."""

from __future__ import annotations

from typing import Any

from tests.integration.wandb_stored_run import StoredRun


def rows_of(*logged: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"_step": step, "_runtime": float(step), "_timestamp": 1.7e9 + step, **row}
        for step, row in enumerate(logged)
    ]


def finished_run() -> StoredRun:
    return StoredRun(
        id="abc123",
        config={"lr": 0.001, "wandb": {"api_key": "s3cret"}, "store": "https://me:pw@host/data"},
        summary={"performance/val_epoch_time": 4.0, "_wandb": {"runtime": 61}},
        rows=rows_of(
            {"performance/train_epoch_time": 10.0, "epoch": 0, "trainer/global_step": 8},
            {"performance/train_batch_mean": 1, "performance/train_num_batches": 8, "epoch": 0},
            {"performance/val_epoch_time": 3.5, "performance/val_num_batches": 4.0, "epoch": 0},
            {"performance/val_batch_mean": 0.5, "performance/val_batch_p95": 0.75, "epoch": 0},
            {"performance/gpu_memory_gb": 1.5, "performance/cpu_memory_percent": 40},
            {"performance/val_epoch_time": 4.0, "performance/val_num_batches": 4.0, "epoch": 1},
        ),
        system_rows=[
            {"_runtime": 1.0, "system.proc.memory.rssMB": 100.0, "system.memory_percent": 20.0},
            {"_runtime": 16.0, "system.proc.memory.rssMB": 300.0, "system.memory_percent": 25.0},
        ],
    )
