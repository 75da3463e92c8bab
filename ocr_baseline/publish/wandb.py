"""The numbers and the page in a W&B run; as a program, the process that writes into an ended one.

The program's arguments are ENTITY PROJECT ID TIMEOUT_S SCALARS PAGE; the entity "" stands for the
account's own. A live run is written to by its own client: a second one would be in its way.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocr_baseline.errors import PublishError, SourceError
from ocr_baseline.measure.own_threads import own_thread
from ocr_baseline.model.privacy import error_text
from ocr_baseline.publish.target import Target, patience_of, written_by
from ocr_baseline.sources.reader_process import say, say_up
from ocr_baseline.sources.wandb.errors import client_errors, explain
from ocr_baseline.sources.wandb.fetch import client_environment
from ocr_baseline.sources.wandb.reference import RunReference, parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ocr_baseline.publish.publication import Publication
    from ocr_baseline.sources.source import LiveRun, ReadOptions

_MODULE = "ocr_baseline.publish.wandb"
ARTIFACT_TYPE = "performance-baseline"
PAGE_NAME = "baseline.html"


def write(run: Any, scalars: Mapping[str, float], page: Path) -> Any:
    """Write into a run of the client's and return the artifact, which it uploads meanwhile."""
    import wandb

    run.summary.update(dict(scalars))
    artifact = wandb.Artifact(f"baseline-{run.id}", type=ARTIFACT_TYPE)
    artifact.add_file(str(page), name=PAGE_NAME)
    return run.log_artifact(artifact)


def _to_logger(publication: Publication, live: LiveRun) -> None:
    loggers = live.loggers_of("WandbLogger")
    if not loggers:
        raise PublishError("the trainer has no WandbLogger: add one, or leave it out")

    page = publication.needed_page()

    def hand_over() -> None:
        for logger in loggers:
            if not logger.experiment.disabled:
                write(logger.experiment, publication.scalars, page)

    _within(patience_of(live.options).left_s(0.0), hand_over)


def _within(limit_s: float, action: Callable[[], None]) -> None:
    """Do something in a thread that is given up when it takes too long.

    Before the client takes an artifact it asks the server about it, for as long as that takes.

    Raises:
        PublishError: It failed, or isn't done in time.
    """
    failures: list[str] = []

    def attempt() -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the client's own errors have no common base
            failures.append(error_text(error))

    thread = own_thread(attempt, "ocr-baseline-publish")
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        raise PublishError(f"the W&B client wasn't done within {limit_s:.3g} s")
    if failures:
        raise PublishError(f"{failures[0]}; check the network and WANDB_BASE_URL")


def _to_place(publication: Publication, place: str, options: ReadOptions) -> str:
    try:
        reference = parse_reference(place, project=options.project, entity=options.entity)
    except SourceError as error:
        raise PublishError(f"{error}: wandb:ENTITY/PROJECT/ID") from error
    patience = patience_of(options)
    timeout_s = patience.left_s(0.0)
    arguments = [reference.entity or "", reference.project, reference.id, str(timeout_s)]
    arguments += [json.dumps(dict(publication.scalars)), str(publication.needed_page())]
    what = f"W&B run {reference.path}"
    return written_by(_MODULE, arguments, client_environment(timeout_s), patience, what)


def main() -> None:
    """Write into the run that the arguments name."""
    entity, project, run_id, timeout_s, scalars, page = sys.argv[1:]
    reference = RunReference(id=run_id, project=project, entity=entity or None)
    try:
        import wandb
    except ImportError:
        say("error", "it needs the package wandb: pip install wandb")
        return
    say_up()
    server = wandb.setup().settings.base_url
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = _resume(reference, float(timeout_s), folder, json.loads(scalars), Path(page))
    except client_errors() as error:
        say("error", str(explain(error, reference.path, server)))
        return
    say("done", url)


def _resume(
    reference: RunReference,
    timeout_s: float,
    folder: str,
    scalars: Mapping[str, float],
    page: Path,
) -> str:
    """Write into a run that ended, without adding anything of this process to it."""
    import wandb

    run = wandb.init(
        entity=reference.entity,
        project=reference.project,
        id=reference.id,
        resume="must",
        dir=folder,
        settings=wandb.Settings(
            init_timeout=timeout_s,
            console="off",
            disable_git=True,
            save_code=False,
            silent=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
            x_update_finish_state=False,
        ),
    )
    say("resumed", run.id)
    artifact = write(run, scalars, page)
    artifact.wait(timeout=max(1, int(timeout_s)))
    say("uploaded", PAGE_NAME)
    run.finish()
    return run.url or f"W&B run {reference.path}"


TARGET = Target(form="wandb:ENTITY/PROJECT/ID", to_logger=_to_logger, to_place=_to_place)

if __name__ == "__main__":
    main()
