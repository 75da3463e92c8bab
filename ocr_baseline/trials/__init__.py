"""Commands that run again and again, in turns, each run in a fresh process with a baseline."""
