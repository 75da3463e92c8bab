"""The time until a run's first training batch ended, put together from its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_baseline.model.run import Missing, StartRecord
from ocr_baseline.vocabulary import REPORTED_STAGES, SECONDS_PER_NS, Line, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ocr_baseline.model.run import BatchTable
    from ocr_baseline.records.columns import RecordedBatches
    from ocr_baseline.records.format import EpochJson, StartJson

SCRIPT, TRAINER, BEFORE_SETUP = "script", "trainer", "before_setup"
"""Parts of the time before the recorder: until the callback was made, until the trainer's `fit`
began, and what of that until the callback's `setup` no action of the trainer's took."""


@dataclass(frozen=True)
class RecordedStart:
    """What the records of a run hold of its beginning."""

    before: StartJson | None
    epochs: Mapping[Stage, Sequence[EpochJson]]
    batches: RecordedBatches

    def record(self) -> StartRecord | None:
        """Return how the run began; None where the records can't tell."""
        first = self.batches.table(Stage.TRAIN)
        if self.before is None or first is None or self._why_not() is not None:
            return None
        set_up = self.epochs[Stage.SETUP][0]
        until_s, took_s = float(first.start_s[0]), float(first.duration_s[0])
        sanity_s = self._sanity_check_s(until_s)
        fetch_s = min(took_s, _fetch_s(first))
        between_s = until_s - set_up["start_ns"] * SECONDS_PER_NS - sanity_s
        process_ns, fit_ns = self.before.get("process_ns"), self.before.get("fit_ns")
        return StartRecord(
            process_s=_seconds(process_ns, set_up["start_ns"]),
            clock=self.before.get("clock"),
            fit_s=_seconds(fit_ns, set_up["start_ns"]),
            before_s=dict(_before_parts(self.before, set_up["start_ns"])),
            lines_s=self._set_up_lines(set_up, between_s),
            sanity_check_s=sanity_s,
            first_fetch_s=fetch_s,
            first_step_s=took_s - fetch_s,
        )

    def missing(self) -> Iterator[Missing]:
        """Say why the beginning isn't known, or a part of it."""
        why_not = self._why_not()
        if why_not is not None:
            yield Missing(metric="start", reason="not_collected", detail=why_not)
        elif self.before is not None and self.before.get("process_ns") is None:
            detail = self.before.get("why_not")
            yield Missing(metric="start.process_to_setup_s", reason="not_collected", detail=detail)

    def _why_not(self) -> str | None:
        first = self.batches.table(Stage.TRAIN)
        if self.before is None or not self.epochs.get(Stage.SETUP):
            return "the records are of a version that didn't keep it, or the run was killed early"
        if first is None or not len(first.start_s):
            return "no training batch was recorded"
        for stage in REPORTED_STAGES:
            if stage is not Stage.TRAIN and self._began_before(stage, float(first.start_s[0])):
                return f"a {stage.value} stage of the same run came before the training"
        return None

    def _began_before(self, stage: Stage, instant_s: float) -> bool:
        table, epochs = self.batches.table(stage), self.epochs.get(stage, [])
        began = [epoch["start_ns"] * SECONDS_PER_NS for epoch in epochs[:1]]
        if table is not None:
            began += [float(start_s) for start_s in table.start_s[:1]]
        return any(start_s < instant_s for start_s in began)

    def _sanity_check_s(self, until_s: float) -> float:
        """Return the time of the checks before that instant; a later `fit` may check again."""
        epochs = [
            epoch
            for epoch in self.epochs.get(Stage.SANITY_CHECK, [])
            if epoch["start_ns"] * SECONDS_PER_NS < until_s
        ]
        tails_ns = sum(sum(epoch["tail_ns"].values()) for epoch in epochs)
        table = self.batches.table(Stage.SANITY_CHECK)
        batches_s = 0.0 if table is None else table.duration_s[table.start_s < until_s].sum()
        return tails_ns * SECONDS_PER_NS + float(batches_s)

    def _set_up_lines(self, set_up: EpochJson, between_s: float) -> dict[str, float]:
        """Return the lines of the set-up, which sum to the time until the first batch.

        A loader that is made or started before its stage is charged to the stage. The training's
        first pass holds it, together with what came behind its last batch, but no other loader.
        """
        lines_s = {line: value * SECONDS_PER_NS for line, value in set_up["tail_ns"].items()}
        rest_s = max(0.0, between_s - sum(lines_s.values()))
        first_pass = next(iter(self.epochs.get(Stage.TRAIN, [])), None)
        startup, other = Line.LOADER_STARTUP.value, Line.OTHER.value
        startup_ns = 0 if first_pass is None else first_pass["tail_ns"].get(startup, 0)
        startup_s = min(rest_s, startup_ns * SECONDS_PER_NS)
        for line, value in ((startup, startup_s), (other, rest_s - startup_s)):
            lines_s[line] = lines_s.get(line, 0.0) + value
        return lines_s


def _seconds(before_ns: int | None, began_ns: int) -> float | None:
    return None if before_ns is None else (before_ns + began_ns) * SECONDS_PER_NS


def _fetch_s(first: BatchTable) -> float:
    waits = (Line.LOADER_STARTUP.value, Line.DATA_WAIT.value)
    return sum(float(first.lines_s[line][0]) for line in waits if line in first.lines_s)


def _before_parts(before: StartJson, began_ns: int) -> Iterator[tuple[str, float]]:
    """Yield what came before the set-up, from the earliest instant that is known."""
    process_ns, fit_ns = before.get("process_ns"), before.get("fit_ns")
    callback_ns = before.get("callback_ns")
    begins = [(SCRIPT, process_ns), (BEFORE_SETUP, fit_ns)]
    if process_ns is not None:
        begins.insert(1, (TRAINER, callback_ns))
    known = [(name, value) for name, value in begins if value is not None]
    actions_ns = before.get("actions_ns") or {}
    ends = [*(value for _, value in known), -began_ns][1:]
    for (name, begin_ns), end_ns in zip(known, ends, strict=True):
        took_ns = begin_ns - end_ns
        if name == BEFORE_SETUP:
            yield from ((action, value * SECONDS_PER_NS) for action, value in actions_ns.items())
            took_ns -= sum(actions_ns.values())
        yield name, max(0, took_ns) * SECONDS_PER_NS
