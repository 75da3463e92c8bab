"""A baseline of a script that knows nothing of us, asked for through its environment."""
