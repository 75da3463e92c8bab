"""Configs on the search path of every Hydra application once ocr-baseline is installed."""
