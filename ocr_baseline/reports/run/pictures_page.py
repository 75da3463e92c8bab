"""`baseline.html`: the pictures of a run on one page, which needs nothing from anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ocr_baseline.errors import BaselineError
from ocr_baseline.reports.story.tell import tell
from ocr_baseline.reports.text.plain_text import name_of, single_line

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ocr_baseline.model.document import Baseline
    from ocr_baseline.model.run import Run

INSTALL = "pictures need plotly: pip install 'ocr-baseline[pictures]'"


def render_pictures_page(baseline: Baseline, run: Run | None = None) -> str:
    """Return the page; without the run itself it lacks what is drawn over time.

    Raises:
        BaselineError: When plotly is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs

        from ocr_baseline.reports.run import charts
    except ImportError as error:
        raise BaselineError(INSTALL) from error
    story = tell(baseline)
    pictures = [
        ("Where the time went", charts.time_by_line(baseline)),
        ("From a training sample to a validation sample", charts.waterfall(baseline)),
        ("What the findings would save", charts.savings(baseline)),
        ("Batch times over the run", None if run is None else charts.batch_times(run)),
        ("Memory over the run", None if run is None else charts.memory_over_time(run.memory)),
    ]
    templates = Environment(
        loader=PackageLoader("ocr_baseline.reports.run"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return templates.get_template("pictures.html.j2").render(
        name=name_of(baseline.run.name or baseline.run.id or "unnamed run"),
        facts=[(label, _with_code(text)) for label, text in story.run_facts],
        verdict=_with_code(story.verdict),
        pictures=[(title, _as_html(figure)) for title, figure in pictures if figure],
        undrawn=[title for title, figure in pictures if not figure],
        library=Markup(get_plotlyjs()),  # noqa: S704 - plotly's own file
    )


def _with_code(text: str) -> Markup:
    """Return text in which names stand between backticks as HTML, everything escaped."""
    parts = single_line(text).split("`")
    if len(parts) % 2 == 0:  # a backtick of the text's own
        return escape(single_line(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _as_html(figure: go.Figure) -> Markup:
    """Return the chart alone; plotly writes its texts as JSON in which `<` is escaped."""
    figure.update_layout(
        template="plotly_white", margin={"t": 30, "r": 20, "b": 50}, hovermode="closest"
    )
    figure.update_yaxes(automargin=True)
    chart = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True}
    )
    return Markup(chart)  # noqa: S704 - see above
