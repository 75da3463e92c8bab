"""Recording: what the run does, as it does it, to memory and to disk."""
