from __future__ import annotations

from typing import Any

import pytest

from ocr_baseline.model.document import Baseline, Workers
from ocr_baseline.reports.run.markdown import render_markdown
from ocr_baseline.reports.run.terminal import render_terminal
from tests.ocr_baseline.examples import full_baseline

HALF = {"cpu_s": 3.0, "cpu_share": 0.3}


def _with_workers(**times: Any) -> Baseline:
    workers = Workers(
        phase="train", count=2, processes=2, batches=9, busy_s=10.0, unnamed_s=10.0, waited_s=1.0
    )
    return full_baseline().model_copy(update={"workers": [workers.model_copy(update=times)]})


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (
            {**HALF, "queued_s": 2.0},
            "Training workers computed for 30.0% of the time that they made batches, waited for a "
            "free core for 20.0%, and waited otherwise for 50.0%.",
        ),
        (HALF, "computed for 30.0% of the time that they made batches and waited for 70.0%."),
        (
            {"cpu_s": 18.0, "cpu_share": 1.8, "queued_s": 2.0},
            "Training workers used 1.8 cores each while they made batches.",
        ),
    ],
)
def test_reports_say_what_workers_did_while_they_made_batches(
    times: dict[str, Any], words: str
) -> None:
    baseline = _with_workers(**times)
    assert words in render_markdown(baseline)
    assert words in " ".join(render_terminal(baseline, width=200, color=False).split())


def test_nothing_is_said_of_workers_whose_processor_time_was_not_measured() -> None:
    assert "in the time in which they made" not in render_markdown(_with_workers())
    assert "of the time in which they made" not in render_markdown(_with_workers())
