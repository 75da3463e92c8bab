"""Comparisons, checks, trends and calibrations as text."""
