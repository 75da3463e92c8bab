"""Runs of MLflow, read by its client in a process of its own."""
