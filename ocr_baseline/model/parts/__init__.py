"""The parts of the baseline document, one subject a module."""
