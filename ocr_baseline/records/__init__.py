"""The profiler's files on disk: their format, what writes them, what reads them."""
