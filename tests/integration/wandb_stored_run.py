"""A run as a W&B server holds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

ENTITY = "receipts"


@dataclass(kw_only=True)
class StoredRun:
    """One run as the server holds it; each of `rows` has its `_step`.

    `deleted` runs vanish after they were found; `parquet` runs answer as those that were exported:
    every row with every key.
    """

    id: str
    project: str = "baseline"
    name: str = "calm-receipt-1"
    state: str = "finished"
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    system_rows: list[dict[str, Any]] = field(default_factory=list)
    created_at: str = "2026-03-01T09:00:00Z"
    heartbeat_at: str = "2026-03-01T09:05:00Z"
    deleted: bool = False
    parquet: bool = False

    @property
    def last_step(self) -> int:
        """The highest step of any row, -1 without rows, as the real server has it."""
        return max((int(row["_step"]) for row in self.rows), default=-1)

    def history_keys(self) -> dict[str, Any]:
        """The server's index of the keys that the rows hold."""
        keys = {key for row in self.rows for key in row}
        kinds = {key: {"typeCounts": [{"type": "number"}]} for key in sorted(keys)}
        return {"keys": kinds, "lastStep": self.last_step, "sets": []}

    def fragment(self) -> dict[str, Any]:
        """The fields of the client's RunFragment."""
        return {
            "id": f"storage-{self.id}",
            "projectId": "1",
            "tags": [],
            "name": self.id,
            "displayName": self.name,
            "sweepName": None,
            "state": self.state,
            "config": json.dumps({key: {"value": value} for key, value in self.config.items()}),
            "group": None,
            "jobType": None,
            "commit": None,
            "readOnly": False,
            "createdAt": self.created_at,
            "heartbeatAt": self.heartbeat_at,
            "description": None,
            "notes": None,
            "systemMetrics": "{}",
            "summaryMetrics": json.dumps(self.summary),
            "historyLineCount": len(self.rows),
            "user": {"name": ENTITY, "username": ENTITY},
            "historyKeys": self.history_keys(),
        }
