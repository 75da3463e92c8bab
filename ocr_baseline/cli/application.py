"""The registry of commands, and the one place where errors become messages and exit statuses."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import click

from ocr_baseline import __version__
from ocr_baseline.cli import completion, streams
from ocr_baseline.cli.mistyped import ForgivingGroup
from ocr_baseline.errors import BaselineError
from ocr_baseline.files import short

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "ocr-baseline"
COMMANDS = {
    "run": "ocr_baseline.cli.run",
    "prove": "ocr_baseline.cli.prove",
    "report": "ocr_baseline.cli.report",
    "show": "ocr_baseline.cli.show",
    "plot": "ocr_baseline.cli.plot",
    "speedscope": "ocr_baseline.cli.speedscope",
    "publish": "ocr_baseline.cli.publish",
    "trace": "ocr_baseline.cli.trace",
    "compare": "ocr_baseline.cli.compare",
    "check": "ocr_baseline.cli.check",
    "baseline": "ocr_baseline.cli.baseline",
    "calibrate": "ocr_baseline.cli.calibrate",
    "trend": "ocr_baseline.cli.trend",
    "schema": "ocr_baseline.cli.schema",
}
"""Name of each command and the module that has it as `command`, in the order of `--help`."""

EXIT_OK = 0
EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


class _LazyGroup(ForgivingGroup):
    """Imports the module of a command when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command


@click.group(
    cls=_LazyGroup,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=PROGRAM)
@click.pass_context
def _application(context: click.Context) -> None:
    """Performance baselines of Lightning runs: report, show, compare, check.

    A command reads a run from a folder, a baseline.json, a logger's file, csv:PATH,
    tensorboard:PATH, mlflow:ID, wandb:ID or a name in the store. Results go to stdout, everything
    else to stderr.
    """
    streams.help_without_command(context)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (`sys.argv` by default) and return the exit status.

    0 on success, 2 on a usage error or an input that can't be read, 130 on Ctrl-C, 141 when the
    reader of stdout went away.
    """
    streams.fill_in_closed()
    try:
        status = _run(list(sys.argv[1:] if arguments is None else arguments))
        streams.flush_stdout()
    except click.ClickException as error:
        streams.print_error(PROGRAM, _usage_message(error))
        return EXIT_ERROR
    except BrokenPipeError:
        streams.abandon_stdout()
        return EXIT_BROKEN_PIPE
    except BaselineError as error:
        streams.print_error(PROGRAM, str(error))
        return EXIT_ERROR
    except KeyboardInterrupt:
        streams.print_error(PROGRAM, "interrupted")
        return EXIT_INTERRUPTED
    except OSError as error:
        streams.abandon_stdout()
        streams.print_error(PROGRAM, _system_message(error))
        return EXIT_ERROR
    return status


def _run(arguments: list[str]) -> int:
    # click's own `main` would answer Ctrl-C and a lost reader with statuses and lines of its own.
    completed = completion.answer(_application, PROGRAM)
    if completed is not None:
        return completed
    try:
        with _application.make_context(PROGRAM, arguments) as context:
            _application.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    return EXIT_OK


def _system_message(error: OSError) -> str:
    """Return what the system refused, and of which file."""
    place = "" if error.filename is None else f"{short(error.filename)}: "
    return f"{place}{error.strerror or error}"


def _usage_message(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    message = error.format_message().rstrip()
    if not isinstance(error, click.UsageError) or context is None:
        return message
    return f"{message.rstrip('.')} (see {context.command_path} --help)"
