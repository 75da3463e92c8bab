"""The two callbacks, what they attach to a training, and how they find out about the run."""
