"""Logged metrics of any tracker: keys, values and epochs, turned into a run."""
