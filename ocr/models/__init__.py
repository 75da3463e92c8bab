"""DBNet and its loss, post-processing and metric."""
