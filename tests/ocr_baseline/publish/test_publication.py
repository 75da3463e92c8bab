from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ocr_baseline.cli import main
from ocr_baseline.errors import SettingError
from ocr_baseline.publish import TARGETS, checked_targets
from ocr_baseline.publish.publication import publication_of
from tests.ocr_baseline.examples import empty_baseline, full_baseline

PAGE = Path(__file__).parents[3] / "docs" / "publishing.md"


def test_what_was_not_measured_is_not_published(tmp_path: Path) -> None:
    assert publication_of(empty_baseline(), tmp_path).scalars == {}


def test_every_number_is_documented(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = publication_of(full_baseline(), tmp_path).scalars
    assert 5 <= len(names) <= 15
    generic = {
        name.replace("/train_", "/PHASE_")
        .replace("/validation_", "/PHASE_")
        .replace("/test_", "/PHASE_")
        for name in names
    }
    assert [name for name in generic if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_is_documented(name: str) -> None:
    assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")


def test_an_unknown_target_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match="unknown target 'slack'; choose from wandb, mlflow"):
        checked_targets(["wandb", "slack"])


@pytest.mark.parametrize("place", ["slack:x", "mlflow", "github:x"])
def test_a_mistyped_target_is_refused_before_anything_is_read(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", "no-such-run", "--to", place]) == 2
    assert f"--to {place}" in capsys.readouterr().err


@pytest.mark.slow
def test_no_client_is_imported_until_something_is_published() -> None:
    program = (
        "import sys, ocr_baseline.lightning.report, ocr_baseline.publish, ocr_baseline.cli.publish;"
        "from ocr_baseline.publish import TARGETS, find_target; [*map(find_target, TARGETS)];"
        "print(sorted({'wandb', 'mlflow', 'tensorboard'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
