"""Configs that any Hydra application finds once ocr-baseline is installed."""
