from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import settings
from omegaconf import DictConfig

from ocr.train import config_dir
from ocr_baseline.recording.process_start import claim_process_start
from tests.property_sizes import FULL_EXAMPLES

# A busy machine must not fail a property, and a check of a commit must give one answer.
settings.register_profile(
    "full", max_examples=FULL_EXAMPLES, deadline=None, derandomize="CI" in os.environ
)
# What `make check` asks for with --hypothesis-profile.
settings.register_profile("quick", settings.get_profile("full"), max_examples=FULL_EXAMPLES // 10)
settings.load_profile("full")

REPOSITORY = Path(__file__).resolve().parent.parent

if "PYTEST_XDIST_WORKER" in os.environ:
    # One thread for each of the parallel workers; set before torch or OpenCV is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("MKL_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def ctrl_c_ends_what_a_test_starts() -> None:
    """Make SIGINT raise again, which is what a program inherits from the one that starts it.

    A shell ignores it in what it puts in the background, and so does Lightning from the moment a
    training in this process was interrupted.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def wandb_stays_offline_and_out_of_the_home_folder(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    root = tmp_path_factory.mktemp("wandb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("WANDB_SILENT", "true")
        for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
            (root / name).mkdir()
            patch.setenv(name, str(root / name))
        for name in ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_ENTITY", "WANDB_PROJECT"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def the_start_of_the_tests_is_no_run_s_start() -> None:
    claim_process_start()


@pytest.fixture
def repository() -> Path:
    return REPOSITORY


@pytest.fixture
def compose_app(tmp_path: Path) -> Callable[..., DictConfig]:
    """Compose the application's configuration; its output folder is the test's."""

    def composed(*overrides: str) -> DictConfig:
        with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
            return compose("train", overrides=[f"paths.output_dir='{tmp_path}'", *overrides])

    return composed
