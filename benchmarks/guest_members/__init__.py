"""Members of `guest.py`: what users do to a training, one file per kind."""
