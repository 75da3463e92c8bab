"""A store of named baselines: a folder of JSON documents, local or at any fsspec URL.

`STORE/NAME/20260301T120005Z-1117a953538e-5f0c9a2e.json`: when the run started, the fingerprint of
its environment, a digest that tells it from others. A name that ends in `.accepted.json` is that
of the first run after an accepted change. Each file is a baseline document that every command
reads; nothing else is kept, so a store can be copied, merged in git, or edited by hand.
"""
