"""Small trainings with one planted cause each, for `benchmarks/answers.py`."""
