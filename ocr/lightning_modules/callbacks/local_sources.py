load_run = None
