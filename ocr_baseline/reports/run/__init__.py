"""The report of one run, in each of its formats."""
