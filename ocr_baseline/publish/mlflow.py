"""The numbers and the page in an MLflow run; as a program, the process that writes them.

The program's arguments are RUN_ID TRACKING_URI SCALARS PAGE; the tracking URI "" stands for the
client's own setting.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ocr_baseline.errors import PublishError
from ocr_baseline.model.privacy import redact_text
from ocr_baseline.publish.target import Target, patience_of, written_by
from ocr_baseline.sources.mlflow.run import client_environment
from ocr_baseline.sources.reader_process import say, say_up

if TYPE_CHECKING:
    from ocr_baseline.publish.publication import Publication
    from ocr_baseline.sources.source import LiveRun, ReadOptions

_MODULE = "ocr_baseline.publish.mlflow"
_FOLDER = "baseline"
"""Of the run's artifacts."""


def _to_logger(publication: Publication, live: LiveRun) -> None:
    loggers = live.loggers_of("MLFlowLogger")
    if not loggers:
        raise PublishError("the trainer has no MLFlowLogger: add one, or leave it out")
    for logger in loggers:
        uri = logger.experiment.tracking_uri
        _publish(publication, str(logger.run_id), uri, live.options)


def _to_place(publication: Publication, place: str, options: ReadOptions) -> str:
    if not place:
        raise PublishError("name the run: mlflow:ID")
    return _publish(publication, place, options.mlflow_uri or "", options)


def _publish(publication: Publication, run_id: str, uri: str, options: ReadOptions) -> str:
    patience = patience_of(options)
    arguments = [run_id, uri, json.dumps(dict(publication.scalars)), str(publication.needed_page())]
    what = f"MLflow run {run_id}"
    return written_by(_MODULE, arguments, client_environment(patience), patience, what)


def main() -> None:
    """Write into the run that the arguments name."""
    run_id, uri, scalars, page = sys.argv[1:]
    try:
        import mlflow
        from mlflow.exceptions import MlflowException
    except ImportError:
        say("error", "it needs the package mlflow: pip install 'ocr-baseline[mlflow]'")
        return
    say_up()
    try:
        client = mlflow.MlflowClient(tracking_uri=uri or None)
        client.get_run(run_id)
        for name, value in json.loads(scalars).items():
            client.log_metric(run_id, name, value)
            say("written", name)
        client.log_artifact(run_id, page, _FOLDER)
    except (MlflowException, ImportError, OSError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        remedy = "check the id and the tracking URI (default: MLFLOW_TRACKING_URI)"
        say("error", redact_text(f"{lines[0]}; {remedy}"))
        return
    say("done", redact_text(f"MLflow run {run_id} at {client.tracking_uri}"))


TARGET = Target(form="mlflow:ID", to_logger=_to_logger, to_place=_to_place)

if __name__ == "__main__":
    main()
