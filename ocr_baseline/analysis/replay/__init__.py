"""What a run would have taken without a cause: its measured timeline, replayed."""
