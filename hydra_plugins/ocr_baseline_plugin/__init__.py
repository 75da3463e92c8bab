"""Hydra plugin that comes with ocr-baseline."""
