"""The workflow of docs/ci.md, step by step, on real (and very short) trainings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ocr_baseline.comparison.check import parse_budgets

ROOT = Path(__file__).parents[2]
# The environment of this test is installed already.
DONE_BEFORE = "Install"
OVERRIDES = (
    "repeats.warmup_runs=0 repeats.wait_s=0 trainer.max_epochs=1 trainer.limit_train_batches=4 "
    "trainer.limit_val_batches=4 data.batch_size=2 data.transforms.image_size=160 "
    "data.synthetic.page.size_px=160 "
    "data.transforms.augmentation=null data.synthetic.train_count=8 data.synthetic.val_count=8 "
    "model.model.neck_channels=64 model.model.feature_channels=64"
)
# No machine is too slow or too busy for these: the steps are tested, not the machine.
KEPT_BUDGETS = """
[train.throughput]
min = "0.001 samples/s"
[train.data_wait]
max = "100 %"
"""
BROKEN_BUDGETS = """
[train.throughput]
min = "1e9 samples/s"
"""


def workflow() -> dict:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    block = re.search(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    # YAML 1.1 reads the key `on` as true.
    parsed: dict = yaml.safe_load(block[1])
    return parsed


def steps(event: str) -> list[dict]:
    (job,) = workflow()["jobs"].values()
    named = [step for step in job["steps"] if "run" in step and step["name"] != DONE_BEFORE]
    return [step for step in named if "if" not in step or f"== '{event}'" in step["if"]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "budgets.toml").write_text(KEPT_BUDGETS)
    programs = tmp_path / "bin"
    programs.mkdir()
    github = programs / "gh"
    github.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > gh_arguments.txt\n')
    github.chmod(0o755)
    return tmp_path


def run(step: dict, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {
        **os.environ,
        **{name: str(value) for name, value in workflow()["env"].items()},
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "RUNS": "1",
        "OVERRIDES": OVERRIDES,
        "PULL_REQUEST": "7",
        # Threads that wait for each other take minutes where other programs hold the processors.
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_every_event_has_its_steps() -> None:
    assert [step["name"] for step in steps("push")] == ["Run", "Keep"]
    assert [step["name"] for step in steps("pull_request")] == ["Run", "Check", "Comment"]


def test_the_budgets_of_this_repository_are_read() -> None:
    budgets = parse_budgets((ROOT / "budgets.toml").read_text(encoding="utf-8"), "budgets.toml")
    assert {budget.level for budget in budgets} == {"error", "warn"}


@pytest.mark.slow
def test_a_push_is_kept_and_a_pull_request_is_checked_and_commented(checkout: Path) -> None:
    for event in ("push", "pull_request"):
        for step in steps(event):
            done = run(step, checkout)
            assert done.returncode == 0, (step["name"], done)
    assert (checkout / "gh_arguments.txt").read_text().split() == [
        "pr", "comment", "7", "--edit-last", "--create-if-none", "--body-file", "comment.md",
    ]  # fmt: skip
    comment = (checkout / "comment.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- ocr-baseline comparison -->")
    assert "train.batch_time" in comment
    document = json.loads((checkout / "check.json").read_text(encoding="utf-8"))
    assert document["comparison"]["comparable"] is True
    assert document["comparison"]["design"] == "one against one"

    (checkout / "budgets.toml").write_text(BROKEN_BUDGETS)
    _, check, comment_step = steps("pull_request")
    assert run(check, checkout).returncode == 1
    assert "always()" in comment_step["if"]
    comment = (checkout / "comment.md").read_text(encoding="utf-8")
    assert "## Performance check: 1 failed" in comment
