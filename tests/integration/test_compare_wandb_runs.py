"""`compare`, `check` and `baseline` of runs that the real W&B client wrote and reads back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from tests.integration.wandb_server import WandbServer
from tests.integration.wandb_stored_run import ENTITY
from tests.ocr_baseline.store_files import FACTORS

PROJECT = "baseline"
KEYS_S = {"train_batch_median": 0.2, "train_batch_p95": 0.25, "train_epoch_time": 2.0}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("OCR_BASELINE_STORE", raising=False)


def logged_runs(*factors: float, batch_size: int = 4) -> list[str]:
    """Write a run for each factor with the client and return their ids."""
    import wandb

    ids = []
    for factor in factors:
        with wandb.init(project=PROJECT, config={"data": {"batch_size": batch_size}}) as run:
            for epoch in range(2):
                times_s = {f"performance/{key}": factor * s for key, s in KEYS_S.items()}
                run.log({**times_s, "performance/train_num_batches": 10, "epoch": epoch})
        ids.append(run.id)
    return ids


def metric(document: dict, key: str) -> dict:
    found: dict = next(entry for entry in document["metrics"] if entry["metric"] == key)
    return found


def test_runs_on_both_sides_are_named_by_id_path_or_url(
    wandb_server: WandbServer, capsys: pytest.CaptureFixture[str]
) -> None:
    base, new = logged_runs(1.0, 1.5)
    url = f"https://wandb.invalid/{ENTITY}/{PROJECT}/runs"
    capsys.readouterr()
    for sides, project in (
        ((f"wandb:{base}", new), ["--project", PROJECT, "--entity", ENTITY]),
        ((f"wandb:{ENTITY}/{PROJECT}/{base}", f"{url}/{new}?nw=1"), []),
    ):
        assert main(["compare", *sides, *project, "--format", "json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["comparable"] is True
        found = metric(document, "train.batch_time")
        assert (found["base"], found["new"]) == (pytest.approx(0.2), pytest.approx(0.3))
        assert (found["change"], found["n_base"], found["n_new"]) == (pytest.approx(0.5), 1, 1)
        # One run a side: whatever the change, it is no verdict.
        assert found["verdict"] == "inconclusive"


def test_five_runs_a_side_make_a_verdict_and_fail_a_check(
    wandb_server: WandbServer, capsys: pytest.CaptureFixture[str]
) -> None:
    base = [f"wandb:{name}" for name in logged_runs(*FACTORS)]
    new = [f"wandb:{name}" for name in logged_runs(*(1.2 * factor for factor in FACTORS))]
    capsys.readouterr()
    project = ["--project", PROJECT]
    assert main(["baseline", "add", "main", *base, *project]) == 0
    # The server says of all that they began at once: to the times they are one sitting a side.
    told = [*project, "--sittings", "run", "--export-json", "c.json"]
    assert main(["check", *new, "--baseline", "main", *told]) == 1
    comparison = json.loads(Path("c.json").read_text(encoding="utf-8"))["comparison"]
    found = metric(comparison, "train.batch_time")
    assert (found["verdict"], found["n_base"], found["n_new"]) == ("regression", 5, 5)
    assert found["change"] == pytest.approx(0.2)
    assert capsys.readouterr().out.startswith("FAIL train.batch_time: expected at most 5.0%")


def test_runs_with_another_config_do_not_compare(
    wandb_server: WandbServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (base,), (new,) = logged_runs(1.0), logged_runs(1.0, batch_size=8)
    sides = [f"wandb:{base}", f"wandb:{new}", "--project", PROJECT]
    capsys.readouterr()
    assert main(["compare", *sides]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "Not comparable: data.batch_size is 4 in the base and 8 in the new runs."


def test_a_run_that_is_not_there_is_2_and_named(
    wandb_server: WandbServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (there,) = logged_runs(1.0)
    capsys.readouterr()
    assert main(["compare", f"wandb:{there}", "wandb:nothere1", "--project", PROJECT]) == 2
    assert "nothere1" in capsys.readouterr().err.splitlines()[-1]
