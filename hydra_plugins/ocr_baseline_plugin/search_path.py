"""Lets every Hydra application find `callbacks=baseline_report` and `+ocr_baseline=report`.

Hydra imports this module whenever a Hydra program in the environment starts, so it imports nothing
that Hydra hasn't already imported.
"""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class OcrBaselineSearchPathPlugin(SearchPathPlugin):
    """Appends the package's configs, so those of the application come first."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the package's configs to the application's search path.

        Args:
            search_path: The search path of the application that is starting.
        """
        search_path.append(provider="ocr-baseline", path="pkg://ocr_baseline.hydra.configs")
