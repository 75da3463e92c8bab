"""Runs of Weights & Biases: through the API, and from a run's own file."""
