"""The command `ocr-baseline`: one file for each command, listed in `application.COMMANDS`."""

from ocr_baseline.cli.application import main

__all__ = ["main"]
