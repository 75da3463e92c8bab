"""How much of a run's configuration its records and its report hold."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import CSVLogger
from omegaconf import OmegaConf
from torch.utils.data import DataLoader

from ocr_baseline import BaselineReportCallback, PerformanceProfilerCallback, section
from ocr_baseline.model.document import Baseline
from tests.ocr_baseline.lightning.tiny_runs import (
    Items,
    TinyModule,
    TinyRun,
    loader,
    tiny_run,
    tiny_trainer,
)

pytestmark = pytest.mark.slow

SECRET = "hf_" + "aB3" * 10


class ConfiguredModule(TinyModule):
    def __init__(self, settings: dict[Any, Any]) -> None:
        super().__init__()
        self.save_hyperparameters({"settings": settings})


def sleep_briefly(*_: Any) -> None:
    time.sleep(0.001)


class Unprintable:
    """Lightning keeps hyperparameters that can be pickled, and this one can."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Unreadable(Mapping[str, int]):
    """Gives none of its entries away."""

    def __getitem__(self, key: str) -> int:
        raise RuntimeError("no entry")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no entries")

    def __len__(self) -> int:
        return 1


class OwnProperty(TinyModule):
    """Has made a property of its own of Lightning's."""

    def __init__(self, asked: list[str]) -> None:
        super().__init__()
        self._asked = asked

    @property
    def hparams(self) -> Any:
        self._asked.append("hparams")
        return {}


def run_with(folder: Path, settings: dict[Any, Any], **arguments: Any) -> TinyRun:
    profiler = PerformanceProfilerCallback(profile_memory=False, **arguments)
    # Lightning's own loggers can't write every one of these settings.
    module = ConfiguredModule(settings)
    return tiny_run(folder, module=module, profiling=profiler, logger=False)


def everything_written(folder: Path) -> str:
    return "".join(path.read_text() for path in (folder / "baseline").rglob("*") if path.is_file())


def test_a_secret_reaches_neither_records_nor_report(tmp_path: Path) -> None:
    run_with(tmp_path, {"hub": SECRET, "api_key": "hunter2", "lr": 0.125})
    written = everything_written(tmp_path)
    assert "0.125" in written
    assert SECRET not in written
    assert "hunter2" not in written


def test_an_allowed_key_is_shown(tmp_path: Path) -> None:
    settings = {"auth_token": "learned-embedding"}
    run_with(tmp_path, settings, shown_config_keys=["model.settings.auth_token"])
    assert "learned-embedding" in everything_written(tmp_path)


def test_the_configuration_is_left_out_on_demand_and_the_report_says_so(tmp_path: Path) -> None:
    run = run_with(tmp_path, {"note": "confidential"}, include_config=False)
    assert "confidential" not in everything_written(tmp_path)
    assert run.baseline.workload.config is None
    entry = next(e for e in run.baseline.missing if e.metric == "workload.config")
    assert (entry.reason, entry.detail) == ("skipped", "include_config is off")


def test_a_configuration_that_is_left_out_is_still_told_from_another_by_its_hash(
    tmp_path: Path,
) -> None:
    shown, left_out, other = (
        run_with(tmp_path / name, {"note": note, "api_key": name}, include_config=is_shown)
        for name, note, is_shown in (("a", "one", True), ("b", "one", False), ("c", "two", False))
    )
    module = ConfiguredModule({"note": "one", "api_key": "d"})
    report = BaselineReportCallback(include_config=False)
    by_report = tiny_run(tmp_path / "d", module=module, report=report, logger=False)
    hashes = [run.baseline.workload.config_hash for run in (shown, left_out, by_report, other)]
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]
    assert None not in hashes


def test_a_configuration_that_no_json_can_hold_costs_nothing(tmp_path: Path) -> None:
    settings: dict[Any, Any] = {"text": Unprintable(), "nan": float("nan"), 3: {(1,): b"\xff"}}
    settings["self"] = settings
    run = run_with(tmp_path, settings)
    assert run.ended_by is None
    assert run.phase("train").batches == 4
    assert run.baseline.workload.config is not None


@pytest.mark.parametrize(
    "name", ["=cmd()", "\u202eevil\x1b[31m", "<img src=x>", "../../x", "a\x00b"]
)
def test_hostile_text_in_a_configuration_stays_text(tmp_path: Path, name: str) -> None:
    run = run_with(tmp_path, {name: name})
    assert run.ended_by is None
    written = {path.name for path in tmp_path.rglob("*")}
    assert written >= {"baseline.md", "baseline.json", "metrics.csv"}
    markdown = (tmp_path / "baseline" / "baseline.md").read_text()
    assert "\x1b" not in markdown
    assert "\u202e" not in markdown


def test_the_report_alone_can_leave_the_configuration_out(tmp_path: Path) -> None:
    module = ConfiguredModule({"note": "confidential"})
    run = tiny_run(
        tmp_path, module=module, report=BaselineReportCallback(include_config=False), logger=False
    )
    assert run.baseline.workload.config is None
    assert "confidential" not in (tmp_path / "baseline" / "baseline.md").read_text()


def test_a_secret_in_any_name_message_or_variable_reaches_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_API_KEY", "env-Secr3t-77")
    hidden = {part: "gh" + f"p_{part:A<30}" for part in ("section", "callback", "run", "version")}
    slow = type(f"Slow_{hidden['callback']}", (Callback,), {"on_train_batch_end": sleep_briefly})

    class Module(ConfiguredModule):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            for name in (hidden["section"], "uses hunter2xQ", "env-Secr3t-77"):
                with section(name):
                    sleep_briefly()
            if self.current_epoch == 0 and batch_idx == 2:
                raise ValueError("no answer from https://bob:PWurl99@host/x")
            return super().training_step(batch, batch_idx)

    output = tmp_path / "baseline"
    trainer = Trainer(
        callbacks=[PerformanceProfilerCallback(), BaselineReportCallback(output), slow()],
        logger=CSVLogger(tmp_path / "logs", name=hidden["run"], version=hidden["version"]),
        max_epochs=1,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=tmp_path,
    )
    module = Module({"password": "hunter2xQ", "argv": ["--token", "hunter2xQ"]})
    data = DataLoader(Items(16), batch_size=2)
    with pytest.raises(ValueError, match="no answer"):
        trainer.fit(module, data)
    written = everything_written(tmp_path)
    assert "uses <redacted>" in written
    secrets = [*hidden.values(), "hunter2xQ", "env-Secr3t-77", "PWurl99"]
    assert [secret for secret in secrets if secret in written] == []


def test_interpolations_stay_unresolved_wherever_a_configuration_is_kept(tmp_path: Path) -> None:
    calls: list[str] = []
    OmegaConf.register_new_resolver("counted", lambda: calls.append("x"), replace=True)
    settings = OmegaConf.create({"run": "${counted:}", "missing": "???", "lr": 0.125})

    run_with(tmp_path, {"cfg": settings, "list": [settings]})

    assert calls == []
    document = Baseline.model_validate_json((tmp_path / "baseline/baseline.json").read_text())
    config = document.workload.config
    assert config is not None
    kept = {"run": "${counted:}", "missing": "???", "lr": 0.125}
    assert config["model"]["settings"] == {"cfg": kept, "list": [kept]}  # type: ignore[index, call-overload]  # JSON


def test_a_container_of_the_users_own_is_told_by_its_class_and_the_run_measured(
    tmp_path: Path,
) -> None:
    run = run_with(tmp_path, {"odd": Unreadable(), "lr": 0.125})

    assert run.phase("train").batches == 4
    assert "0.125" in everything_written(tmp_path)
    assert "test_config_in_reports.Unreadable object" in everything_written(tmp_path)


def test_a_property_that_the_module_has_made_of_its_hyperparameters_is_not_asked(
    tmp_path: Path,
) -> None:
    asked_alone: list[str] = []
    tiny_trainer(tmp_path / "alone", logger=False).fit(OwnProperty(asked_alone), loader())
    asked: list[str] = []
    run = tiny_run(tmp_path, module=OwnProperty(asked), logger=False)

    assert asked == asked_alone
    assert run.phase("train").batches == 4
