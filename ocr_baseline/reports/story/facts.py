"""The numbers that stand beside the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.reports.story.parts import Fact
from ocr_baseline.reports.story.versus import interval_text, versus
from ocr_baseline.reports.text import formatting, wording
from ocr_baseline.vocabulary import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.model.document import Baseline


def facts(baseline: Baseline) -> Iterator[Fact]:
    """Yield the five numbers, measured or not."""
    yield _ratio(baseline)
    yield _throughput(baseline)
    yield _waited(baseline)
    yield _memory(baseline)
    yield _cost(baseline)


def _ratio(baseline: Baseline) -> Fact:
    compared = versus(baseline)
    scope = f"Validation against training, per {compared.per or 'sample'}"
    ratio = compared.ratio
    if ratio is None:
        note = compared.sentence
    else:
        interval = interval_text(ratio)
        note = f"95% interval {interval}" if interval else ""
    value = None if ratio is None else ratio.value
    return Fact(key="validation_vs_training", label=scope, value=value, unit="ratio", note=note)


def _throughput(baseline: Baseline) -> Fact:
    train = baseline.phase("train")
    value = None if train is None else train.throughput_samples_per_s
    note = "" if value is not None else _why(baseline, "phases.train.throughput_samples_per_s")
    return Fact(
        key="throughput", label="Training throughput", value=value, unit="samples/s", note=note
    )


def _waited(baseline: Baseline) -> Fact:
    train = baseline.phase("train")
    key, label = "waited_for_data", "Training waited for data"
    if train is None or not train.breakdown or not train.total_s:
        why = _why(baseline, "phases.train.breakdown")
        return Fact(key=key, label=label, value=None, unit="share", note=why)
    waits = (Line.DATA_WAIT.value, Line.LOADER_STARTUP.value)
    waited_s = sum(line.total_s for line in train.breakdown if line.name in waits)
    note = f"{formatting.duration(waited_s)} of {formatting.duration(train.total_s)}"
    return Fact(key=key, label=label, value=waited_s / train.total_s, unit="share", note=note)


def _memory(baseline: Baseline) -> Fact:
    memory = baseline.memory
    device = memory.accelerator if memory else None
    tree = memory.process_tree_rss_bytes if memory else None
    if device is not None and device.allocated_peak_bytes is not None:
        return Fact(
            key="peak_memory",
            label="Peak accelerator memory",
            value=device.allocated_peak_bytes,
            unit="bytes",
            note=_of_all(device.total_bytes, "of the device"),
        )
    peak = None if tree is None else tree.peak
    available = _of_all(baseline.environment.known.memory_bytes, "that the run may use")
    why = _why(baseline, "memory.process_tree_rss_bytes.peak")
    return Fact(
        key="peak_memory",
        label="Peak memory",
        value=peak,
        unit="bytes",
        note=available if peak is not None else why,
    )


def _cost(baseline: Baseline) -> Fact:
    cost = baseline.measurement
    share = cost.overhead_share
    note = f"{formatting.share(share)} of the measured time" if share is not None else ""
    if cost.overhead_s is None:
        note = _why(baseline, "measurement.overhead_s")
    return Fact(
        key="cost_of_measuring",
        label="Cost of measuring",
        value=cost.overhead_s,
        unit="s",
        note=note,
    )


def _of_all(total_bytes: float | None, whose: str) -> str:
    return "" if total_bytes is None else f"of {formatting.byte_size(total_bytes)} {whose}"


def _why(baseline: Baseline, metric: str) -> str:
    return wording.reason(baseline, metric) or ""
