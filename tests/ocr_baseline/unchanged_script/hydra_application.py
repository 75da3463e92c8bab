"""A Hydra application that knows nothing of baselines."""

from __future__ import annotations

import sys

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from tests.ocr_baseline.unchanged_script import plain_script

ConfigStore.instance().store(name="application", node={"number": 0})


@hydra.main(version_base="1.3", config_path=None, config_name="application")
def main(config: DictConfig) -> None:
    sys.argv[1:] = ["plain"]
    plain_script.main("plain")


if __name__ == "__main__":
    main()
