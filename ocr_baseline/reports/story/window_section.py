"""What a window of torch.profiler saw: which batches, what it cost, and its heaviest parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.parts import Section
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.reports.text.tables import Name, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr_baseline.model.document import Baseline, ProfiledCode, ProfiledWait, ProfileWindow

MOST_ROWS = 10


def window_section(baseline: Baseline) -> Section | None:
    """Return the section, None where no window was recorded."""
    window = baseline.profile_window
    if window is None:
        return None
    return Section(
        key="profile_window",
        title="A window of torch.profiler",
        blocks=(_words(baseline, window),),
        parts=tuple(_parts(window)),
    )


def _words(baseline: Baseline, window: ProfileWindow) -> str:
    one = window.batches == 1
    count = "1 batch" if one else f"{formatting.count(window.batches)} batches"
    stage = wording.stage_adjective(window.phase)
    sentences = [
        f"{stage}: {count} from batch {window.batch_idx:,} of epoch {window.epoch:,} on took "
        f"{formatting.duration(window.duration_s)} under torch.profiler, and "
        f"{'is' if one else 'are'} in no statistic. "
        f"Opening, closing and reading the window took {formatting.duration(window.cost_s)} more."
    ]
    usual = _usual_s(baseline, window)
    if usual is not None and window.batches:
        took_s = window.duration_s / window.batches
        sentences.append(
            f"A batch of the window took {formatting.duration(took_s)}, a steady one "
            f"{formatting.duration(usual)} (median): read shares from it, not times."
        )
    if window.device_busy_s is not None and window.duration_s:
        busy = formatting.share(window.device_busy_s / window.duration_s)
        sentences.append(f"The device ran something for {busy} of it.")
    if window.why_no_stacks is not None:
        sentences.append(
            f"Python's functions were not followed, because {window.why_no_stacks}: there are no "
            "modules, and calls have no place."
        )
    if window.left_out:
        sentences.append(
            f"Its last {formatting.count(window.left_out)} operators and kernels were not read."
        )
    return " ".join(sentences)


def _usual_s(baseline: Baseline, window: ProfileWindow) -> float | None:
    phase = baseline.phase(window.phase)
    return None if phase is None or phase.batch_time_s is None else phase.batch_time_s.median


def _parts(window: ProfileWindow) -> Iterator[Section]:
    if window.waits:
        yield Section(
            key="waits", title="Calls that waited for the device", blocks=(_waits(window.waits),)
        )
    for key, title, rows in (
        ("kernels", "Kernels on the device", window.kernels),
        ("operators", "Operators", window.operators),
        ("modules", "Modules", window.modules),
    ):
        if rows:
            yield Section(key=key, title=title, blocks=(_table(rows, window),))


def _table(rows: Sequence[ProfiledCode], window: ProfileWindow) -> Table:
    """The heaviest first; without a device, without its column."""
    has_device = window.device_busy_s is not None
    cells = [
        [
            Name(row.name),
            formatting.count(row.calls),
            formatting.duration(row.host_s),
            *([formatting.duration(row.device_s)] if has_device else []),
        ]
        for row in rows[:MOST_ROWS]
    ]
    headers = ["Name", "Calls", "Host, self", *(["Device"] if has_device else [])]
    return Table(headers=headers, rows=cells, align="lrrr"[: len(headers)])


def _waits(rows: Sequence[ProfiledWait]) -> Table:
    cells = [
        [
            Name(row.operator),
            formatting.NOT_MEASURED if row.place is None else Name(row.place),
            formatting.count(row.calls),
            formatting.duration(row.host_s),
        ]
        for row in rows[:MOST_ROWS]
    ]
    return Table(headers=["Call", "Place", "Calls", "Waited"], rows=cells, align="llrr")
