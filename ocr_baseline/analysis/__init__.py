"""Analysis: a `Run` becomes a `Baseline`; arithmetic only, no formatting, no files."""
