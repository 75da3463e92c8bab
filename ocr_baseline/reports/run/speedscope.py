"""Sampled call stacks in speedscope's file format, for https://www.speedscope.app.

The format is described at https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources
and by https://www.speedscope.app/file-format-schema.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr_baseline.errors import BaselineError
from ocr_baseline.model.json_text import json_text

if TYPE_CHECKING:
    from ocr_baseline.model.run import JsonValue, Run, StackSamples

SCHEMA_URL = "https://www.speedscope.app/file-format-schema.json"


def render_speedscope(run: Run) -> str:
    """Return one sampled profile for each stage and kind of process.

    Below each profile's root stand the lines of the breakdown, below them the functions.

    Raises:
        BaselineError: No call stack was sampled in the run.
    """
    sampled = [one for one in run.stack_samples if any(stack.ticks for stack in one.stacks)]
    if not sampled:
        raise BaselineError(
            "no call stacks were sampled in this run: speedscope needs the profiler's records of a "
            "run with sampling on"
        )
    frames = _Frames()
    profiles: list[JsonValue] = [_profile(one, frames) for one in sampled]
    return json_text(
        {
            "$schema": SCHEMA_URL,
            "shared": {"frames": frames.entries},
            "profiles": profiles,
            "name": run.info.name or run.info.id or "unnamed run",
            "activeProfileIndex": 0,
            "exporter": "ocr-baseline",
        },
        ensure_ascii=True,
    )


class _Frames:
    """The frames of all profiles, each once."""

    def __init__(self) -> None:
        self.entries: list[JsonValue] = []
        self._numbers: dict[tuple[str, str, int], int] = {}

    def number(self, name: str, file: str = "", line: int = 0) -> int:
        key = (name, file, line)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            place: dict[str, JsonValue] = {"file": file, "line": line} if file else {}
            self.entries.append({"name": name, **place})
        return self._numbers[key]


def _profile(samples: StackSamples, frames: _Frames) -> JsonValue:
    functions = [frames.number(one.name, one.file, one.line) for one in samples.functions]
    stacks: list[JsonValue] = []
    weights: list[JsonValue] = []
    for sampled in sorted(samples.stacks, key=lambda one: (one.line, one.stack)):
        stacks.append([frames.number(sampled.line), *(functions[one] for one in sampled.stack)])
        weights.append(sampled.ticks * samples.interval_s)
    return {
        "type": "sampled",
        "name": f"{samples.stage.value}, {samples.process}",
        "unit": "seconds",
        "startValue": 0,
        "endValue": samples.interval_s * sum(one.ticks for one in samples.stacks),
        "samples": stacks,
        "weights": weights,
    }
