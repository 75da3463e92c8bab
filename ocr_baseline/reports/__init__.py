"""Renderers: each takes what was read or compared and returns text; `registry` lists them.

A renderer computes no statistics, touches no file and prints nothing; `text.formatting` alone
scales and rounds.
"""
