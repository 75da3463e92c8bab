"""The trace of a whole run, for Perfetto and Chrome."""
