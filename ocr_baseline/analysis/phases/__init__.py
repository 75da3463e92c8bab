"""What each phase took: steady batches, breakdown lines, training beside validation."""
