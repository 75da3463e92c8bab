"""A command that an option names, split as a shell would."""

from __future__ import annotations

import shlex

import click


def command_words(option: str, text: str) -> tuple[str, ...]:
    """Return the words of a command; `option` is what it was given to.

    Raises:
        click.UsageError: It isn't a command.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise click.UsageError(f"{option} isn't a command: {error}.") from error
    if not words:
        raise click.UsageError(f"{option} needs a command.")
    return words
