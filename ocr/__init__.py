"""A receipt text detector whose training runs end with a measured performance baseline."""
