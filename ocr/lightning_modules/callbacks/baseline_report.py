"""A door: the callback is `ocr_baseline`'s."""

from ocr_baseline import BaselineReportCallback

__all__ = ["BaselineReportCallback"]
