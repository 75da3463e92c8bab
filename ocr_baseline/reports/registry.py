"""Every format that results are shown in: one row for each renderer, imported when it is used.

Adding a renderer is its file, its row here, and its test.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ocr_baseline.errors import BaselineError
from ocr_baseline.layout import (
    HTML_NAME,
    JSON_NAME,
    MARKDOWN_NAME,
    METRICS_NAME,
    SWEEP_CSV_NAME,
    SWEEP_HTML_NAME,
    SWEEP_MARKDOWN_NAME,
)
from ocr_baseline.model.privacy import refresh_known_secrets, without_commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ocr_baseline.comparison.check import Check
    from ocr_baseline.comparison.comparison import Comparison
    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run

Format = Literal[
    "markdown", "json", "terminal", "csv", "html", "github-action-benchmark", "bencher"
]
TERMINAL = "terminal"
DEFAULT_WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class Renderer:
    """A format and where its renderer is.

    Attributes:
        name: The format's name, as options and `render` take it.
        place: `module:function` below `ocr_baseline.reports`.
        suffix: What a file of this format ends in; None where a suffix doesn't choose it.
        file: The file's name in the folder of a report; None where none is written there.
        draws_run: Whether it takes the `Run` as `run` too, and shows more with it.
    """

    name: str
    place: str
    suffix: str | None = None
    file: str | None = None
    draws_run: bool = False

    def of_run(
        self,
        baseline: Baseline,
        run: Run | None,
        *,
        width: int = DEFAULT_WIDTH,
        color: bool = False,
    ) -> str:
        """Return a baseline as text, from its run too where this format draws it."""
        options = {"run": run} if self.draws_run else {}
        return self(baseline, width=width, color=color, **options)

    def __call__(
        self, *subject: object, width: int = DEFAULT_WIDTH, color: bool = False, **options: object
    ) -> str:
        """Return what is shown as text; `width` and `color` are for terminals alone."""
        refresh_known_secrets()
        if self.name == TERMINAL:
            options |= {"width": width, "color": color}
        text: str = self._function()(*subject, **options)
        return without_commands(text)

    def parts(self, *subject: object) -> Iterator[str]:
        """Yield a long text piece by piece, from a renderer that yields it; lines stay whole."""
        refresh_known_secrets()
        yield from map(without_commands, self._function()(*subject))

    def _function(self) -> Callable[..., Any]:
        module, _, name = self.place.partition(":")
        found: Callable[..., Any] = getattr(
            importlib.import_module(f"ocr_baseline.reports.{module}"), name
        )
        return found


def _formats(*renderers: Renderer) -> Mapping[str, Renderer]:
    return {renderer.name: renderer for renderer in renderers}


RUN = _formats(
    Renderer(name=TERMINAL, place="run.terminal:render_terminal"),
    Renderer(
        name="csv",
        place="run.csv:render_metrics_csv",
        suffix=".csv",
        file=METRICS_NAME,
    ),
    Renderer(name="json", place="run.json:render_json", suffix=".json", file=JSON_NAME),
    Renderer(
        name="markdown", place="run.markdown:render_markdown", suffix=".md", file=MARKDOWN_NAME
    ),
    Renderer(
        name="html",
        place="page.run_page:render_run_page",
        suffix=".html",
        file=HTML_NAME,
        draws_run=True,
    ),
)
COMPARISON = _formats(
    Renderer(name=TERMINAL, place="comparison.terminal:render_comparison_terminal"),
    Renderer(name="markdown", place="comparison.markdown:render_comparison_markdown", suffix=".md"),
    Renderer(name="json", place="comparison.json:render_comparison_json", suffix=".json"),
    Renderer(name="csv", place="comparison.exports:render_comparison_csv", suffix=".csv"),
    Renderer(name="html", place="page.comparison_page:render_comparison_page", suffix=".html"),
    Renderer(
        name="github-action-benchmark", place="comparison.exports:render_github_action_benchmark"
    ),
    Renderer(name="bencher", place="comparison.exports:render_bencher_metric_format"),
)
CHECK = _formats(
    Renderer(name=TERMINAL, place="comparison.check:render_check_terminal"),
    Renderer(name="markdown", place="comparison.check:render_check_markdown", suffix=".md"),
    Renderer(name="json", place="comparison.check:render_check_json", suffix=".json"),
)
REPEATED = Renderer(name=TERMINAL, place="comparison.repeated:render_repeated_terminal")
"""Shows runs of the same code, a sequence of `RunSummary`."""
TREND = _formats(
    Renderer(name=TERMINAL, place="comparison.trend:render_trend_terminal"),
    Renderer(name="markdown", place="comparison.trend:render_trend_markdown", suffix=".md"),
    Renderer(name="json", place="comparison.trend:render_trend_json", suffix=".json"),
)
SWEEP = _formats(
    Renderer(name="csv", place="sweep:render_sweep_csv", suffix=".csv", file=SWEEP_CSV_NAME),
    Renderer(
        name="markdown",
        place="sweep:render_sweep_markdown",
        suffix=".md",
        file=SWEEP_MARKDOWN_NAME,
    ),
    Renderer(
        name="html",
        place="page.sweep_page:render_sweep_page",
        suffix=".html",
        file=SWEEP_HTML_NAME,
    ),
)
SUMMARY = Renderer(name=TERMINAL, place="run.summary:render_summary")
UNREPORTED = Renderer(name=TERMINAL, place="run.summary:render_unreported")
"""What the screen shows at the end of a run: of a `Baseline`, and of why there is none."""
SPEEDSCOPE = Renderer(name="speedscope", place="run.speedscope:render_speedscope")
"""Shows a `Run`: a baseline holds no call stacks."""
PROGRESS = Renderer(name=TERMINAL, place="run.progress:render_progress")
PROGRESS_LINE = Renderer(name="line", place="run.progress:render_progress_line")
"""Show the `Progress` of a run that is going on."""
TRACE = Renderer(name="trace", place="trace.run_trace:trace_parts")
"""Yields the parts of a `Run`: a baseline holds no batches."""

_BY_TYPE = {"Baseline": RUN, "Comparison": COMPARISON, "Check": CHECK}


def render(
    subject: Baseline | Comparison | Check,
    format: Format = "markdown",
    *,
    width: int = DEFAULT_WIDTH,
    color: bool = False,
    **options: object,
) -> str:
    """Return a `Baseline`, a `Comparison` or a `Check` as text.

    Args:
        subject: What to show.
        format: `markdown`, `json` or `terminal`; for a baseline `csv` (every number in long form)
            and `html` (a page) too; for a comparison `csv`, `github-action-benchmark` and
            `bencher`.
        width: Columns of the terminal, for `terminal`.
        color: Whether to color the text, for `terminal`.
        options: What only one renderer takes: `run` for the `html` of a baseline, `strict` for
            the `json` of a check.

    Raises:
        BaselineError: When the subject can't be shown in this format.
        TypeError: When the subject is none of the three.
    """
    formats = _BY_TYPE.get(type(subject).__name__)
    if formats is None:
        raise TypeError(f"can't render a {type(subject).__name__}: only {', '.join(_BY_TYPE)}")
    if format not in formats:
        raise BaselineError(
            f"no format {format!r} for a {type(subject).__name__}: only {', '.join(formats)}"
        )
    return formats[format](subject, width=width, color=color, **options)


def format_of(formats: Mapping[str, Renderer], suffix: str) -> str | None:
    """Return the format of a file that ends in `suffix`, None where none has it."""
    return next((name for name, one in formats.items() if one.suffix == suffix), None)
