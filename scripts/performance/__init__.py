"""Commands on performance baselines that run from a checkout."""
