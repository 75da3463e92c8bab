"""What Hydra applications use: configs, the post-run hook, the table of a sweep, repeats."""
