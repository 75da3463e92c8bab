"""The jobs of a sweep, side by side."""
