"""Trying what a report's remedies save: settings put in from outside, in turns, and judged."""
