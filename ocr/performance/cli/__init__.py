"""The command `ocr-baseline`: one file for each command, listed in `application.COMMANDS`."""

from ocr.performance.cli.application import main

__all__ = ["main"]
