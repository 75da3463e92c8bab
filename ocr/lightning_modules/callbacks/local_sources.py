load_run=None
