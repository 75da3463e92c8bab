"""A run that is being recorded, whatever drives it: its records, its ranks, its end."""
