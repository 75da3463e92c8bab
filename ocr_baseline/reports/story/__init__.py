"""What a report of a run says, in its order: the one model that every renderer shows."""
