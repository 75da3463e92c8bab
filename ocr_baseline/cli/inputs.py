"""What a command reads: a run's records, a baseline document or what its loggers kept.

The engine is imported when there is something to read: `--help` and usage errors do without it.
"""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_baseline.cli import streams
from ocr_baseline.errors import SettingError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run


def baseline_of_path(path: Path) -> Baseline:
    """Return the baseline of a run's folder or of a document.

    Raises:
        SourceError: When there is nothing to read.
        SchemaError: When the document is none that this version reads.
    """
    if path.is_dir():
        return baseline_of_folder(path)
    from ocr_baseline.model.document_file import read_baseline

    return read_baseline(path)


def baseline_of_folder(folder: Path) -> Baseline:
    """Return the baseline of the records in a run's folder, else of the document in it.

    Raises:
        SourceError: When the folder holds neither, or what it holds can't be read.
        SchemaError: When the document is none that this version reads.
    """
    baseline, _ = read_folder(folder)
    return baseline


def read_folder(folder: Path) -> tuple[Baseline, Run | None]:
    """Return the same and, where the folder holds records, the run that they hold.

    Raises:
        SourceError: When the folder holds neither, or what it holds can't be read.
        SchemaError: When the document is none that this version reads.
    """
    if not folder.is_dir():
        reason = "it is no folder" if folder.exists() else "no such folder"
        raise SourceError(f"can't read {folder}: {reason}")
    from ocr_baseline.analysis import analyze
    from ocr_baseline.layout import BASELINE_FOLDER, JSON_NAME
    from ocr_baseline.model.document_file import read_baseline
    from ocr_baseline.records import reader

    try:
        reader.find_records(folder)
    except SourceError:
        for document in (folder / JSON_NAME, folder / BASELINE_FOLDER / JSON_NAME):
            if document.is_file():
                return read_baseline(document), None
        raise
    run = reader.load(folder)
    return analyze(run), run


def baseline_of_wandb_run(
    run_id: str,
    *,
    project: str | None,
    entity: str | None,
    timeout_s: float,
    metric_names: Mapping[str, str] | None = None,
) -> Baseline:
    """Return the baseline of a W&B run, with progress on stderr while the server is asked.

    Raises:
        SourceError: When the run can't be read.
    """
    with streams.progress(f"Reading run {run_id} from Weights & Biases"):
        from ocr_baseline.analysis import analyze
        from ocr_baseline.sources.wandb import api as wandb_api

        run = wandb_api.load(
            run_id,
            project=project,
            entity=entity,
            timeout_s=timeout_s,
            metric_names=metric_names,
        )
        return analyze(run)


def baseline_of_mlflow_run(
    run_id: str,
    *,
    tracking_uri: str | None,
    timeout_s: float,
    metric_names: Mapping[str, str] | None = None,
) -> Baseline:
    """Return the baseline of an MLflow run, with progress on stderr while its client is asked.

    Raises:
        SourceError: When the run can't be read.
    """
    with streams.progress(f"Reading run {run_id} from MLflow"):
        from ocr_baseline.analysis import analyze
        from ocr_baseline.sources.mlflow import run as mlflow_run

        run = mlflow_run.load(
            run_id, tracking_uri=tracking_uri, timeout_s=timeout_s, metric_names=metric_names
        )
        return analyze(run)


def baseline_of_logged_file(
    source: str, path: Path, metric_names: Mapping[str, str] | None = None
) -> Baseline:
    """Return the baseline of a logger's file or folder; `source` is a name of the registry.

    Raises:
        SourceError: When it can't be read.
    """
    from ocr_baseline.analysis import analyze
    from ocr_baseline.sources import SOURCES

    load = pkgutil.resolve_name(SOURCES[source])
    return analyze(load(path, metric_names=metric_names))


def read_metric_names(path: Path | None) -> dict[str, str]:
    """Return a user's own keys and what they stand for, from a YAML file; none without one.

    Raises:
        SettingError: The file can't be read or holds no mapping of keys to known keys.
    """
    if path is None:
        return {}
    import yaml

    from ocr_baseline.sources.logged.keys import key_parser

    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingError(f"can't read {path}: {str(error).splitlines()[0]}") from error
    if not isinstance(names, dict) or not all(isinstance(key, str) for key in names.values()):
        raise SettingError(f"{path}: no mapping of your keys to known keys (docs/metrics.md)")
    own = {str(name): key for name, key in names.items()}
    key_parser(own)
    return own
