"""Whatever a user's code does, the training goes on as without us, and no number is false.

Each member of `guest_members/` is one thing that users do, taken from public bug reports, public
projects and attacks on a promise of the README. It runs as a real training in a process of its own,
without our callbacks and with them. Harmed: another exit status, exception or printed result, a
hang, or something left behind. Changed: other weights, random states or numbers of compiled
graphs. False: a number in the report that isn't the one that the member knows to be true.

    python -m benchmarks.guest [--only KIND] [--member NAME] [--jobs 2]
"""

from __future__ import annotations

import argparse
import difflib
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.guest_members.kinds import KINDS, members_of
from benchmarks.guest_members.outcome import Outcome, Template, compare
from benchmarks.tables import Goal, print_table

HEADER = (
    "kind",
    "members",
    "trainings harmed",
    "weights or graphs changed",
    "numbers checked",
    "false",
    "not measured",
    "seconds added at the end (median / most)",
)


def run_all(chosen: list[tuple[str, str]], jobs: int, folder: Path) -> list[Outcome]:
    """Run each member without and with, `jobs` members at a time."""
    templates = [Template() for _ in range(jobs)]
    free = list(templates)
    done: list[Outcome] = []

    def run(place: tuple[str, str]) -> Outcome:
        template = free.pop()
        try:
            outcome = compare(template, *place, folder / "_".join(place))
        finally:
            free.append(template)
        done.append(outcome)
        print(f"{len(done)} of {len(chosen)}: {outcome.told()}", file=sys.stderr, flush=True)
        return outcome

    try:
        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(run, chosen))
    finally:
        for template in templates:
            template.close()


def row(kind: str, outcomes: list[Outcome]) -> tuple[str, ...]:
    """Return a kind's row of the table."""
    added_s = [second for outcome in outcomes for second in outcome.added_s]
    return (
        kind,
        str(len(outcomes)),
        str(sum(bool(outcome.harm) for outcome in outcomes)),
        str(sum(bool(outcome.change) for outcome in outcomes)),
        str(sum(outcome.checked for outcome in outcomes)),
        str(sum(len(outcome.false) for outcome in outcomes)),
        str(sum(outcome.unmeasured for outcome in outcomes)),
        f"{statistics.median(added_s):.2f} / {max(added_s):.2f}" if added_s else "-",
    )


def unknown_member(wanted: list[str], known: list[str]) -> str | None:
    """Say which name is no member's, and which are near it; None where all are known."""
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known)
            return f"no member {name!r} of these kinds{'; near: ' if near else ''}{', '.join(near)}"
    return None


def main() -> int:
    """Run the members asked for, print the table and every failure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--member", nargs="+", help="names of members")
    parser.add_argument("--jobs", type=int, default=2, help="members at a time")
    arguments = parser.parse_args()
    known = [(kind, name) for kind in arguments.only for name in members_of(kind)]
    wanted = arguments.member or [name for _, name in known]
    if problem := unknown_member(wanted, [name for _, name in known]):
        parser.error(problem)
    chosen = [(kind, name) for kind, name in known if name in wanted]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        outcomes = run_all(chosen, arguments.jobs, Path(folder))
    by_kind = {
        KINDS[kind]: [outcome for outcome in outcomes if outcome.kind == kind]
        for kind in arguments.only
    }
    rows = [row(kind, found) for kind, found in by_kind.items() if found]
    print_table(HEADER, [*rows, row("all", outcomes)])
    for outcome in outcomes:
        for problem in outcome.problems:
            print(f"{outcome.kind}, {outcome.name} ({outcome.sentence}): {problem}")
    return Goal.report(
        Goal("trainings harmed", sum(bool(outcome.harm) for outcome in outcomes), 0),
        Goal("weights or graphs changed", sum(bool(outcome.change) for outcome in outcomes), 0),
        Goal("false numbers", sum(len(outcome.false) for outcome in outcomes), 0),
    )


if __name__ == "__main__":
    sys.exit(main())
