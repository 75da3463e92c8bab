"""Puts the callbacks `performance_profiler` and `baseline_report` within reach of any Hydra app.

Hydra imports this module at the start of every Hydra program in the environment, so it imports
nothing beyond what Hydra itself has imported by then.
"""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class OcrBaselineSearchPathPlugin(SearchPathPlugin):
    """Appends the package's own configs, so that an app's configs come first."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the package's config root to the app's search path.

        Args:
            search_path: the search path of the app that is starting.
        """
        search_path.append(provider="ocr-baseline", path="pkg://ocr_baseline.hydra.configs")
