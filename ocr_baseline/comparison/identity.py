"""What differs between runs in environment, workload and config, and what of it forbids comparing.

The fingerprint hashes `environment.identity` alone: clock speeds, load and host names change from
run to run on one machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from ocr_baseline.vocabulary import COMMIT_LENGTH

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ocr_baseline.comparison.summary import RunSummary
    from ocr_baseline.model.document import Workload

Area = Literal["environment", "workload", "config", "schema", "measurement", "note"]

FINGERPRINT_LENGTH = 12
NOT_WORKLOAD = (
    "task_name",
    "seed",
    "tags",
    "optimized_metric",
    "hydra.*",
    "repeats.*",
    "experiment",
    "paths.output_dir",
    "paths.root_dir",
    "paths.log_dir",
    "*.output_dir",
    "*.dirpath",
    "*.default_root_dir",
    "callbacks.baseline_report.*",
    "callbacks.performance_profiler.*",
    "callbacks.ocr_baseline_*",
    "logger.*.save_dir",
    "logger.*.name",
    "logger.*.version",
    "logger.*.project",
    "logger.*.entity",
    "logger.*.group",
    "logger.*.tags",
    "logger.*.notes",
    "logger.*.id",
)
"""Config keys that say where a run writes, what it is called or how it is reported.

None of them changes what the run does.
"""
NOTED_VOLATILE = ("git_commit", "git_dirty")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field that is not the same on both sides; None stands for "not there".

    `forbids` says that runs which differ in it don't compare. `run` names the run that differs
    from its own side, where the difference is within a side.
    """

    area: Area
    field: str
    base: JsonValue
    new: JsonValue
    forbids: bool
    run: str | None = None


def fingerprint(identity: Mapping[str, JsonValue]) -> str:
    """Return 12 hexadecimal digits that are equal for equal environments."""
    return _digest({key: value for key, value in identity.items() if value is not None})


def workload_hash(run: RunSummary) -> str:
    """Return 12 hexadecimal digits that are equal for equal work: config, data, counts."""
    config = {} if run.workload.config is None else workload_config(run.workload.config)
    return _digest({"config": config, "data": run.workload.data_hash, "work": dict(run.work)})


def workload_config(config: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the config as dotted keys, without those that say nothing of the work."""
    return {key: value for key, value in flatten(config) if not _matches(key, NOT_WORKLOAD)}


def flatten(config: Mapping[str, JsonValue], prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Yield dotted keys and their values; lists are values, an empty mapping too."""
    for key, value in config.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{path}.")
        else:
            yield path, value


def differences(
    base: Sequence[RunSummary], new: Sequence[RunSummary], across: Sequence[str] = ()
) -> list[Difference]:
    """Return every difference, those that forbid comparing first.

    The runs of each side are held against the first of the base. `across` names fields that
    differ on purpose (`num_workers`, `data.*`), which then forbid nothing.

    Args:
        base: Runs of the base, at least one.
        new: Runs to compare with it.
        across: Patterns of field names, as in a shell.
    """
    reference = base[0]
    found: dict[tuple[str, str, bool], Difference] = {}
    for run in new:
        for difference in _between(reference, run, across):
            found.setdefault((difference.area, difference.field, False), difference)
    for side in (base, new):
        for run in side[1:]:
            for difference in _between(side[0], run, ()):
                if difference.forbids:
                    within = replace(difference, run=run.label)
                    found.setdefault((difference.area, difference.field, True), within)
    return sorted(found.values(), key=lambda difference: not difference.forbids)


def _between(base: RunSummary, new: RunSummary, across: Sequence[str]) -> Iterator[Difference]:
    yield from _schema(base, new)
    yield from _environment(base.environment.identity, new.environment.identity, across)
    yield from _data(base.workload.data_hash, new.workload.data_hash, across)
    yield from _work(base.work, new.work, across)
    yield from _config(base.workload, new.workload, across)
    for key in NOTED_VOLATILE:
        before, after = base.environment.volatile.get(key), new.environment.volatile.get(key)
        if before != after:
            yield Difference(
                area="note", field=key, base=_short(before), new=_short(after), forbids=False
            )


def _short(value: JsonValue) -> JsonValue:
    """Return a commit as people write it; whole, it looks as random as a secret."""
    return value[:COMMIT_LENGTH] if isinstance(value, str) else value


def _schema(base: RunSummary, new: RunSummary) -> Iterator[Difference]:
    if base.schema_version != new.schema_version:
        majors = [run.schema_version.partition(".")[0] for run in (base, new)]
        yield Difference(
            area="schema",
            field="schema_version",
            base=base.schema_version,
            new=new.schema_version,
            forbids=majors[0] != majors[1],
        )


def _environment(
    base: Mapping[str, JsonValue], new: Mapping[str, JsonValue], across: Sequence[str]
) -> Iterator[Difference]:
    if base == new:
        return
    # What a side doesn't say isn't known to differ: W&B's files name the machine and not the
    # trainer's set-up. `comparison` warns of a side that says nothing.
    on_both_sides = base.keys() & new.keys()
    for key in {**base, **new}:
        before, after = base.get(key), new.get(key)
        if before != after:
            forbids = key in on_both_sides and not _is_on_purpose(key, across)
            yield Difference(area="environment", field=key, base=before, new=after, forbids=forbids)


def _data(base: str | None, new: str | None, across: Sequence[str]) -> Iterator[Difference]:
    if base is not None and new is not None and base != new:
        forbids = not _is_on_purpose("data_hash", across)
        yield Difference(area="workload", field="data_hash", base=base, new=new, forbids=forbids)


def _work(
    base: Mapping[str, float], new: Mapping[str, float], across: Sequence[str]
) -> Iterator[Difference]:
    for key in sorted(base.keys() & new.keys()):
        if base[key] != new[key]:
            forbids = not _is_on_purpose(key, across)
            yield Difference(
                area="workload", field=key, base=base[key], new=new[key], forbids=forbids
            )


def _config(base: Workload, new: Workload, across: Sequence[str]) -> Iterator[Difference]:
    if base.config is None or new.config is None:
        yield from _config_hash(base, new)
        return
    if base.config == new.config:
        return
    before, after = dict(flatten(base.config)), dict(flatten(new.config))
    for key in {**before, **after}:
        if before.get(key) != after.get(key):
            forbids = not _matches(key, NOT_WORKLOAD) and not _is_on_purpose(key, across)
            yield Difference(
                area="config",
                field=key,
                base=before.get(key),
                new=after.get(key),
                forbids=forbids,
            )


def _config_hash(base: Workload, new: Workload) -> Iterator[Difference]:
    """Compare by hash when one config was left out; what differs may not matter: a note."""
    before, after = base.config_hash, new.config_hash
    if before is not None and after is not None and before != after:
        yield Difference(area="config", field="config_hash", base=before, new=after, forbids=False)


def _matches(key: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(key, pattern) or key.startswith(f"{pattern}.") for pattern in patterns)


def _is_on_purpose(key: str, across: Sequence[str]) -> bool:
    """Whether a pattern names the field; `num_workers` and `data.num_workers` name each other.

    The environment's identity repeats some settings of the config under their last name.
    """
    if _matches(key, across):
        return True
    last = key.rpartition(".")[2]
    return any(
        pattern.rpartition(".")[2] == last and "." not in min(key, pattern, key=len)
        for pattern in across
    )


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_LENGTH]
