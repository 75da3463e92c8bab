"""The engine's one error tree: everything that it raises on purpose is a `BaselineError`."""

from __future__ import annotations


class BaselineError(Exception):
    """An error whose message says what happened, where, and what to do next."""


class SourceError(BaselineError):
    """A run could not be read: the file, folder, server or run id is in the message."""


class SchemaError(BaselineError):
    """A document is not a baseline of a version that this engine reads."""


class SettingError(BaselineError, ValueError):
    """A setting names something that is not known; the message lists what is."""


class OperationError(BaselineError):
    """A dotted name given as an operation can't be resolved or can't be timed."""


class ComparisonError(BaselineError):
    """Runs can't be compared as asked: a wrong option, budget or value, or a run on both sides."""


class PublishError(BaselineError):
    """A report could not be published; the message says where, why and what to do."""


class StoreError(BaselineError):
    """A store of baselines can't be read or written; the message names the place."""


class TrialsError(BaselineError):
    """Repeated runs came to nothing: the message says which, why and where their output is."""
