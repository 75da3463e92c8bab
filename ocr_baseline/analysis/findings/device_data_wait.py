"""The accelerator had nothing to do because the next batch was not there, by its own clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.analysis.accelerator_idle import device_data_wait_s
from ocr_baseline.analysis.findings.catalogue import DEVICE_DATA_WAIT
from ocr_baseline.analysis.findings.rule import (
    Silence,
    count_evidence,
    seconds_evidence,
    share_of,
    title,
)
from ocr_baseline.analysis.findings.wait_advice import cheaper_indices
from ocr_baseline.analysis.measured import line_of
from ocr_baseline.analysis.sampler import sampler_waited_for
from ocr_baseline.model.document import Finding
from ocr_baseline.vocabulary import PHASE_WORDS, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocr_baseline.analysis.measured import Measured
    from ocr_baseline.model.document import DeviceTime, Phase


def device_data_wait(measured: Measured) -> Iterator[Finding | Silence]:
    """Find stages in which the device itself waits for data.

    Where the device has work left over while the main thread waits, this is less than that wait.
    Batches that are there at once take at least so much less: the device is done sooner by it.
    """
    for phase in measured.whole_phases:
        wait_s = device_data_wait_s(phase)
        if phase.device is None or wait_s is None:
            continue
        if share_of(phase, wait_s) < DEVICE_DATA_WAIT["medium"]:
            continue
        needed = int(DEVICE_DATA_WAIT["batches"])
        if phase.device.batches < needed:
            timed = f"{phase.device.batches} batches timed on the device, {needed} needed"
            yield Silence(DEVICE_DATA_WAIT.id, f"{phase.name} has {timed}")
        else:
            yield _finding(measured, phase, phase.device, wait_s)


def _advice(measured: Measured, phase: Phase) -> str:
    if sampler_waited_for(measured, phase) is not None:
        return cheaper_indices("the main thread's wait")
    return (
        "Give the loader more workers while cores are idle, or make a batch cheaper; the findings "
        "on the loader say which."
    )


def _finding(measured: Measured, phase: Phase, device: DeviceTime, wait_s: float) -> Finding:
    share = share_of(phase, wait_s)
    line = line_of(phase, Line.DATA_WAIT.value)
    host_s = wait_s if line is None else max(line.total_s, wait_s)
    where = f"phases.{phase.name}"
    return Finding(
        id=f"{DEVICE_DATA_WAIT.id}:{phase.name}",
        severity=DEVICE_DATA_WAIT.severity(share),
        title=title(f"In {share:.0%} of {PHASE_WORDS[phase.name].lower()} the accelerator has ")
        + "nothing to do for want of a batch",
        evidence=[
            seconds_evidence(f"{where}.device.breakdown.data_wait.total_s", wait_s),
            seconds_evidence(f"{where}.breakdown.data_wait.total_s", host_s),
            count_evidence(f"{where}.device.batches", device.batches),
        ],
        estimated_saving_s=wait_s,
        estimated_saving_low_s=wait_s,
        estimated_saving_high_s=host_s,
        saving_basis="the wait for data on the device's own clock, as long in every batch as in "
        "those that were timed there",
        advice=_advice(measured, phase),
        lines=[f"{phase.name}.{Line.DATA_WAIT.value}"],
    )
