"""Sampled call stacks turned into shares of functions, and into the named cause of a line."""
