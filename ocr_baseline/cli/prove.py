"""`ocr-baseline prove`: tries the settings that a run's report speaks for, and proves them."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocr_baseline.cli import streams
from ocr_baseline.cli.newest import newest_below
from ocr_baseline.cli.options import ChosenRun, one_run
from ocr_baseline.cli.wait_option import wait_option
from ocr_baseline.errors import BaselineError
from ocr_baseline.files import write_text_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.places import FoundRun
    from ocr_baseline.prove.judging import Tried
    from ocr_baseline.prove.planning import Plans
    from ocr_baseline.prove.trying import Trying

SEPARATOR = "--"
DEFAULT_TURNS = 3
DEFAULT_SECONDS = 10.0
EXIT_STOPPED = 130
PROOF_NAME = "proof.json"
"""In the folder of the trials: the proof as JSON, whatever becomes of what is printed."""


class _BeforeCommand(click.Command):
    """Takes what stands behind the first `--` as the command, with its own options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        place = args.index(SEPARATOR) if SEPARATOR in args else len(args)
        ctx.meta[SEPARATOR] = tuple(args[place + 1 :])
        return super().parse_args(ctx, args[:place])


@click.command(
    name="prove",
    cls=_BeforeCommand,
    short_help="Try the settings that a run's report speaks for.",
    options_metavar="[OPTIONS]",
)
@functools.partial(one_run, default=newest_below)
@click.option("--list", "only_lists", is_flag=True, help="Show what would be tried, and end.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option(
    "--turns",
    type=click.IntRange(min=2),
    default=DEFAULT_TURNS,
    show_default=True,
    help="Try each setting this often; one that is clearly worse, twice.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_SECONDS,
    show_default=True,
    help="About how long a trial trains and validates, at the speed of the run.",
)
@wait_option
@click.option(
    "--output-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the trials here [default: a temporary folder, kept where a trial failed].",
)
@click.pass_context
def command(
    context: click.Context,
    run: ChosenRun,
    only_lists: bool,
    as_json: bool,
    turns: int,
    seconds: float,
    wait_s: float,
    output_dir: Path | None,
) -> None:
    """Try what would make RUN faster: `ocr-baseline prove RUN [-- COMMAND]`.

    Settings of loaders, threads, logging and checkpoints that the report speaks for are put into
    COMMAND from outside, in turns with COMMAND as it is, for a limited number of batches. Without
    COMMAND, the one that RUN was made by is run, in its folder. What it writes beside its
    Trainer, it writes in each trial; nothing else changes a file of yours.

    The exit status is 0 whatever was found, and 2 where nothing could be tried.
    """
    from ocr_baseline.prove.command import (
        Command,
        command_of,
        other_machine,
        refuse_without_trainer,
    )
    from ocr_baseline.prove.planning import plans_of
    from ocr_baseline.trials.screen import Screen

    found = run.read()
    given = context.meta[SEPARATOR]
    plans = plans_of(found.run, seconds)
    if only_lists or not plans.candidates:
        _print_plans(plans, given or _known_command(found), as_json=as_json)
        return
    refuse_without_trainer(found.baseline)
    started = Command(arguments=given, folder=Path.cwd()) if given else command_of(found.baseline)
    with _folder(output_dir) as folder, _inside(started.folder):
        streams.print_message(_announced(plans, turns, seconds))
        other = other_machine(found.baseline)
        if other is not None:
            streams.print_message(f"ocr-baseline: {other}")
        trying = _trying(plans, started.arguments, folder, turns, wait_s)
        with Screen() as trying.watcher:
            tried = trying.run()
        if trying.is_stopped:
            streams.print_message("ocr-baseline: stopped; this is of the trials that had ended")
        _print_proof(plans, tried, started.arguments, folder, as_json=as_json)
    if trying.is_stopped:
        context.exit(EXIT_STOPPED)


def _known_command(found: FoundRun) -> tuple[str, ...]:
    known = found.baseline.environment.volatile.get("command")
    return tuple(map(str, known)) if isinstance(known, list) else ()


def _announced(plans: Plans, turns: int, seconds: float) -> str:
    from ocr_baseline.prove.trying import most_trials

    settings = len(plans.candidates)
    beside = "1 setting" if settings == 1 else f"{settings} settings"
    return (
        f"ocr-baseline: trying {beside} beside the run as it is: {most_trials(settings, turns)} "
        f"trials at most, each of about {seconds:g} s and what the command takes to start; Ctrl-C "
        "ends them. What the command writes or sends beside its Trainer, it does in each"
    )


def _trying(
    plans: Plans, arguments: Sequence[str], folder: Path, turns: int, wait_s: float
) -> Trying:
    from ocr_baseline.prove.trying import Plan, Trying
    from ocr_baseline.trials.patience import Patience

    plan = Plan(
        command=arguments,
        candidates=plans.candidates,
        shapes=plans.shapes,
        limits=plans.limits,
        turns=turns,
    )
    return Trying(plan, folder, patience=Patience(wait_s))


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """Yield the folder of the trials; a temporary one stays where a trial failed."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="ocr-baseline-prove-"))
    try:
        yield folder
    except BaseException:
        streams.print_message(f"ocr-baseline: the trials are in {folder}")
        raise
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Be in a folder: the command of a run is started where it was."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _print_plans(plans: Plans, arguments: Sequence[str], *, as_json: bool) -> None:
    from ocr_baseline.model.json_text import json_text
    from ocr_baseline.prove.report import plan_document, plan_text

    if as_json:
        document = plan_document(plans.candidates, plans.not_tried, plans.limits, arguments)
        streams.print_data(json_text(document))
        return
    width, color = streams.stdout_width(), streams.stdout_has_color()
    text = plan_text(plans.candidates, plans.not_tried, plans.limits, width=width, color=color)
    streams.print_data(text)


def _print_proof(
    plans: Plans, tried: Sequence[Tried], arguments: Sequence[str], folder: Path, *, as_json: bool
) -> None:
    from ocr_baseline.model.json_text import json_text
    from ocr_baseline.prove.proof import proof_of
    from ocr_baseline.prove.report import proof_document, proof_text

    recorded_s = sum(shape.total_s for shape in plans.shapes.values())
    proof = proof_of(tried, plans.not_tried, recorded_s)
    document = json_text(proof_document(proof, plans.limits, arguments))
    with contextlib.suppress(BaselineError):  # a full disk: it is on the screen all the same
        write_text_atomically(folder / PROOF_NAME, document)
    if as_json:
        streams.print_data(document)
        return
    width, color = streams.stdout_width(), streams.stdout_has_color()
    streams.print_data(proof_text(proof, plans.limits, width=width, color=color))
