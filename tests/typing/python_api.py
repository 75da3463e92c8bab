"""Uses of the Python API that mypy must accept, and wrong ones that it must refuse.

mypy reads this file with every other; nothing runs it. An "ignore" that isn't needed is an error,
so each wrong use below is confirmed to be refused.
"""

from __future__ import annotations

from pathlib import Path

import ocr_baseline as ob


def right() -> None:
    """Read, compare, check, render, and take numbers out."""
    baseline: ob.Baseline = ob.read("outputs/demo")
    same: ob.Baseline = ob.analyze(ob.read_run(Path("outputs/demo"), timeout_s=5.0))
    comparison: ob.Comparison = ob.compare([baseline], [same, "outputs/other"], across=["torch"])
    check: ob.Check = ob.check(baseline, base="main", budgets=Path("budgets.toml"))
    text: str = ob.render(comparison, "markdown") + ob.render(check) + ob.render(baseline, "html")
    phase = baseline.phase("train")
    total_s: float | None = None if phase is None else phase.total_s
    rows: int = len(baseline.to_frame("breakdown"))
    error: type[Exception] = ob.BaselineError
    print(text, total_s, rows, error)
    with ob.section("features"):
        pass
    with ob.record("outputs/run", operations="cv2.findContours", config={"lr": 0.1}) as record:
        with record.stage("train", epoch=0):
            for word in record.batches(["one", "two"], dataloader_idx=1):
                record.samples(len(word.upper()))
        with record.stage("val"), record.line("forward"):
            pass
    print(None if record.files is None else record.files.folder.name)


def handed_on(record: ob.record) -> int:
    """Take a record as an argument."""
    return len(record.batches([1, 2]))


def wrong(baseline: ob.Baseline, comparison: ob.Comparison) -> None:
    """Each line is a mistake."""
    ob.read(3)  # type: ignore[arg-type]
    ob.read("outputs/demo", porject="receipts")  # type: ignore[call-arg]
    ob.compare(baseline)  # type: ignore[call-arg]
    ob.compare(baseline, [comparison])  # type: ignore[list-item]
    ob.check(baseline, "main")  # type: ignore[call-arg]
    ob.render(baseline, "pdf")  # type: ignore[arg-type]
    ob.render("outputs/demo")  # type: ignore[arg-type]
    ob.record(3)  # type: ignore[arg-type]
    ob.record("outputs/run", "cv2.findContours")  # type: ignore[call-arg]
    ob.record().stage("eval")  # type: ignore[arg-type]
    ob.record().line("decode")  # type: ignore[arg-type]
    ob.record().batches(3)  # type: ignore[arg-type]
    baseline.to_frame("batches")  # type: ignore[arg-type]
    ob.missing_name  # type: ignore[attr-defined]  # noqa: B018
