"""The process that asks the MLflow client for a run: `… RUN_ID TRACKING_URI OWN_NAMES`.

It prints JSON lines, one member each: `points` (a known key's whole history) for each key, and at
last `run` (all but the metrics) or `error` (a message for the user). The tracking URI "" stands
for the client's own setting.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ocr_baseline.model.privacy import redact_text
from ocr_baseline.sources.logged.keys import key_parser
from ocr_baseline.sources.logged.series import is_epoch
from ocr_baseline.sources.reader_process import say

if TYPE_CHECKING:
    from mlflow import MlflowClient

_POINTS_AT_ONCE = 10_000


def main() -> None:
    """Read the run that the arguments name and print what is found."""
    run_id, uri, own_names = sys.argv[1], sys.argv[2] or None, json.loads(sys.argv[3])
    try:
        import mlflow
        from mlflow.exceptions import MlflowException
    except ImportError:
        remedy = "pip install 'ocr-baseline[mlflow]'"
        say("error", f"MLflow run {run_id}: reading it needs the package mlflow: {remedy}")
        return
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        _read(client, run_id, own_names)
    except (MlflowException, ImportError, OSError, ValueError) as error:
        where = uri or "the configured tracking store"
        say("error", redact_text(f"MLflow run {run_id} at {where}: {_explain(error)}"))


def _read(client: MlflowClient, run_id: str, own_names: dict[str, str]) -> None:
    parse = key_parser(own_names)
    run = client.get_run(run_id)
    for key in run.data.metrics:
        if parse(key) or is_epoch(key):
            points = [
                (point.timestamp / 1000, point.step, point.value)
                for point in client.get_metric_history(run_id, key)
            ]
            for at in range(0, len(points), _POINTS_AT_ONCE):
                say("points", [key, points[at : at + _POINTS_AT_ONCE]])
    description = {
        "id": run.info.run_id,
        "name": run.info.run_name,
        "project": client.get_experiment(run.info.experiment_id).name,
        "experiment_id": run.info.experiment_id,
        "tracking_uri": client.tracking_uri,
        "status": run.info.status,
        "start_ms": run.info.start_time,
        "end_ms": run.info.end_time,
        "params": dict(run.data.params),
    }
    say("run", description)


def _explain(error: Exception) -> str:
    code = getattr(error, "error_code", "")
    if code == "RESOURCE_DOES_NOT_EXIST":
        return "there is no such run; check the id and the tracking URI"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"could not be read: {lines[0]}; check the tracking URI (default MLFLOW_TRACKING_URI)"


if __name__ == "__main__":
    main()
