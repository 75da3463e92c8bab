"""`baseline.html`: the whole report as one page that needs nothing from anywhere else."""
