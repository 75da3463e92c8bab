"""What each phase took: steady batches, breakdown lines, training against validation."""
