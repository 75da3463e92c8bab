"""Options that commands share, each spelled once, and what they are turned into."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ocr_baseline.cli import completion, streams
from ocr_baseline.errors import SettingError, SourceError
from ocr_baseline.files import read_text, write_text_atomically
from ocr_baseline.layout import DEFAULT_STORE, STORE_VARIABLE, records_in
from ocr_baseline.places import FoundRun, Place, Reading, locate_one, read
from ocr_baseline.reports.registry import Renderer, format_of
from ocr_baseline.sources.logged.keys import Keys
from ocr_baseline.sources.source import DEFAULT_TIMEOUT_S, ReadOptions

if TYPE_CHECKING:
    from ocr_baseline.comparison.calibration import Calibration
    from ocr_baseline.comparison.options import Options
    from ocr_baseline.comparison.sittings import SittingRule
    from ocr_baseline.vocabulary import SourceName

Command = TypeVar("Command", bound=Callable[..., None])

_PLAIN_SUFFIXES = ("", ".txt", ".log")
"""Of files that any text may be in: they choose no format."""
_WITHOUT_KEYS = ("recorder", "document", "stored")
_ALIASES: tuple[tuple[str, SourceName | None, str, str], ...] = (
    ("--run-dir", None, "DIR", "The same as RUN, a run's folder."),
    ("--wandb-file", "wandb-offline", "PATH", "The local file or folder of a W&B run."),
    ("--csv", "csv", "PATH", "The same as csv:PATH."),
    ("--tensorboard", "tensorboard", "PATH", "The same as tensorboard:PATH."),
    ("--mlflow-run", "mlflow", "ID", "The same as mlflow:ID."),
    ("--run-id", "wandb-api", "ID", "The same as wandb:ID."),
)
"""Options from before places named their source; a new source needs none."""


def file_option(*names: str, text: str, **settings: Any) -> Callable[[Command], Command]:
    """Return an option that takes a file to read or write."""
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option(*names, type=kind, metavar="FILE", help=text, **settings)


def output_option(
    text: str = "Write to this file [default: stdout].", **settings: Any
) -> Callable[[Command], Command]:
    """Return `--output`, `-o` for short."""
    return file_option("--output", "-o", text=text, **settings)


def format_option(formats: Mapping[str, Renderer], default: str) -> Callable[[Command], Command]:
    """Return `--format`; `chosen_format` says what it comes to."""
    return click.option(
        "--format",
        "format_name",
        type=click.Choice(tuple(formats)),
        help=f"Output format [default: from the name of --output, else {default}].",
    )


def chosen_format(
    formats: Mapping[str, Renderer], name: str | None, output: Path | None, default: str
) -> Renderer:
    """Return the format of that name, else that of the file's suffix, else the default.

    Raises:
        click.UsageError: The suffix is that of another format.
    """
    suffix = output.suffix.lower() if output else ""
    of_suffix = format_of(formats, suffix)
    if not (name or of_suffix) and suffix not in _PLAIN_SUFFIXES:
        known = ", ".join(one.suffix for one in formats.values() if one.suffix)
        raise click.UsageError(
            f"--output {output}: no format has this suffix. Choose from {known}, or give --format."
        )
    return formats[name or of_suffix or default]


def check_outputs(**paths: Path | None) -> None:
    """Refuse options that name one file for two things to write.

    Raises:
        click.UsageError: The message names the options.
    """
    given = [path.absolute() for path in paths.values() if path is not None]
    if len(set(given)) < len(given):
        names = [f"--{name.replace('_', '-')}" for name in paths]
        raise click.UsageError(f"{', '.join(names[:-1])} and {names[-1]} need a file each.")


def store_option(command: Command) -> Command:
    """Add `--store`."""
    return click.option(
        "--store",
        metavar="URL",
        help=(
            f"Folder or URL of the named baselines [default: ${STORE_VARIABLE}, else "
            f"{DEFAULT_STORE}]."
        ),
    )(command)


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what says how runs are read; the command gets it as `how`, a `Reading`."""

    @functools.wraps(command)
    def with_reading(**given: Any) -> None:
        options = ReadOptions(
            keys=_keys(given.pop("metric_names")),
            project=given.pop("project"),
            entity=given.pop("entity"),
            mlflow_uri=given.pop("mlflow_uri"),
            timeout_s=given.pop("timeout"),
        )
        how = Reading(options, given.pop("store"), streams.progress, streams.print_message)
        command(how=how, **given)

    return _with_options(
        with_reading,
        store_option,
        click.option(
            "--project", metavar="NAME", help="The W&B project [default: $WANDB_PROJECT]."
        ),
        click.option(
            "--entity", metavar="NAME", help="The W&B entity [default: the account's own]."
        ),
        click.option(
            "--mlflow-uri",
            metavar="URI",
            help="The MLflow folder, database or server [default: $MLFLOW_TRACKING_URI].",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            default=DEFAULT_TIMEOUT_S,
            show_default=True,
            metavar="SECONDS",
            help="Give up on a server that hasn't answered for this long.",
        ),
        click.option(
            "--metric-names",
            type=click.Path(path_type=Path),
            metavar="FILE.yaml",
            help="Maps your own metric keys to the known ones (docs/metrics.md).",
        ),
    )


@dataclass(frozen=True)
class ChosenRun:
    """The one run that a command line names, and how it is read."""

    item: str | Path | Place
    how: Reading

    def read(self) -> FoundRun:
        """Return the run.

        Raises:
            click.UsageError: An option says nothing of a run of this kind.
            BaselineError: There is no run, there are several, or it can't be read.
        """
        place = locate_one(self.item, self.how)
        _refuse_unused(place, self.how.options)
        return read(place, self.how)

    def records_folder(self) -> Path | None:
        """Return the folder of the profiler's records, None where something else is named.

        Raises:
            BaselineError: There is no run, or there are several.
        """
        place = locate_one(self.item, self.how)
        path = Path(place.value)
        if place.kind != "recorder":
            return None
        return path.parent if path.is_file() else records_in(path)


def runs_argument(
    name: str, metavar: str, *, required: bool = True
) -> Callable[[Command], Command]:
    """Return an argument that takes runs, as many as there are."""
    return click.argument(
        name,
        nargs=-1,
        required=required,
        metavar=metavar,
        shell_complete=completion.runs,
    )


def one_run(
    command: Callable[..., None], default: Callable[[Path], Path] | None = None
) -> Callable[..., None]:
    """Add RUN and how it is read; the command gets `run`, a `ChosenRun`.

    `default` finds the run in the current folder where none is named; without it, one must be.
    """

    @functools.wraps(command)
    def with_run(how: Reading, run: str | None, **given: Any) -> None:
        aliases = {name: given.pop(name.strip("-").replace("-", "_")) for name, *_ in _ALIASES}
        if default is not None and run is None and not any(aliases.values()):
            found = default(Path())
            how.tell(f"The newest run below this folder: {found}")
            command(run=ChosenRun(found, how), **given)
        else:
            command(run=ChosenRun(_only_run(run, aliases), how), **given)

    run = click.argument("run", required=False, metavar="[RUN]", shell_complete=completion.runs)
    aliases = [
        click.option(
            name,
            metavar=metavar,
            help=text,
            shell_complete=None if metavar == "ID" else completion.files,
        )
        for name, _, metavar, text in _ALIASES
    ]
    return _with_options(reading_options(with_run), run, *aliases)


def _with_options(command: Callable[..., None], *options: Any) -> Callable[..., None]:
    for add in reversed(options):
        command = add(command)
    return command


def _only_run(run: str | None, aliases: dict[str, str | None]) -> str | Path | Place:
    """Return the one run that the argument and the older options name.

    Raises:
        click.UsageError: They name none, or several.
        SourceError: --run-dir is no folder.
    """
    named = [(name, value) for name, value in aliases.items() if value is not None]
    if len(named) + (run is not None) != 1:
        raise click.UsageError(f"Give one run: RUN, or one of {', '.join(aliases)}.")
    if run is not None:
        return run
    ((option, value),) = named
    kind = next(kind for name, kind, *_ in _ALIASES if name == option)
    if kind is not None:
        return Place(kind=kind, value=value)
    folder = Path(value)
    if not folder.is_dir():
        reason = "it isn't a folder" if folder.exists() else "no such folder"
        raise SourceError(f"can't read {folder}: {reason}")
    return folder


def _refuse_unused(place: Place, options: ReadOptions) -> None:
    """Refuse options that say nothing of the run.

    Raises:
        click.UsageError: The message says which.
    """
    if place.kind != "wandb-api" and (options.project or options.entity):
        raise click.UsageError("--project and --entity belong to wandb:ID or --run-id.")
    if place.kind != "mlflow" and options.mlflow_uri:
        raise click.UsageError("--mlflow-uri belongs to mlflow:ID or --mlflow-run.")
    if place.kind in _WITHOUT_KEYS and options.keys.own_names:
        raise click.UsageError("--metric-names belongs to a source of logged metrics.")


def _keys(path: Path | None) -> Keys:
    """Return the keys that count, with a user's own from a YAML file.

    Raises:
        SettingError: The file can't be read or holds no mapping of keys to known keys.
    """
    if path is None:
        return Keys()
    from ocr_baseline.yaml_file import read_yaml

    try:
        names = read_yaml(path)
    except SourceError as error:
        raise SettingError(str(error)) from error
    if not isinstance(names, dict) or not all(isinstance(key, str) for key in names.values()):
        raise SettingError(f"{path}: not a mapping of your keys to known keys (docs/metrics.md)")
    return Keys({str(name): key for name, key in names.items()})


def comparison_options(command: Command) -> Command:
    """Add what decides how runs are compared."""
    for option in (
        file_option("--calibration", text="The machine's own spread, from `calibrate`."),
        click.option(
            "--paired", is_flag=True, help="The runs of both sides were taken in pairs, in order."
        ),
        click.option(
            "--sittings",
            type=click.Choice(("auto", "run", "one")),
            default="auto",
            show_default=True,
            help="Which runs share a sitting: as their times and machines tell, each by itself, "
            "or all.",
        ),
        click.option(
            "--across",
            multiple=True,
            metavar="FIELD",
            help="A field that differs on purpose (num_workers, data.*); may be repeated.",
        ),
        click.option(
            "--gate",
            multiple=True,
            metavar="METRIC",
            help="Gate these metrics instead of the usual ones (*.throughput); may be repeated.",
        ),
        click.option(
            "--margin",
            multiple=True,
            metavar="METRIC=SIZE",
            help="The smallest change that counts (batch_time=5%,1ms); may be repeated.",
        ),
    ):
        command = option(command)
    return command


def options_of(
    margin: tuple[str, ...],
    gate: tuple[str, ...],
    across: tuple[str, ...],
    paired: bool,
    sittings: SittingRule,
    calibration: Path | None,
) -> Options:
    """Return the options of a comparison.

    Raises:
        BaselineError: When one of them is wrong; nothing else has been read by then.
    """
    from ocr_baseline.comparison.options import Options, configured_metrics, parse_margin

    options = Options(
        margins=dict(map(parse_margin, margin)),
        gates=gate,
        across=across,
        is_paired=paired,
        sittings=sittings,
        calibration=None if calibration is None else read_calibration(calibration),
    )
    configured_metrics(options)
    return options


def read_calibration(path: Path) -> Calibration:
    """Return the calibration in a file.

    Raises:
        BaselineError: When it can't be read or is none.
    """
    from ocr_baseline.comparison.calibration import parse_calibration

    return parse_calibration(read_text(path), str(path))


def write_or_print(text: str, output: Path | None) -> None:
    """Write text into a file and say so, or print it when there is no file.

    Raises:
        BaselineError: When it can't be written.
    """
    if output is None:
        streams.print_data(text)
    else:
        write_text_atomically(output, text)
        streams.print_message(f"Wrote {output}")
