"""Which run this is, where it records, and what its report reads when it ends."""
