"""A group of commands that answers a mistyped name with those that may have been meant."""

from __future__ import annotations

from difflib import get_close_matches

import click


class ForgivingGroup(click.Group):
    """Suggests commands; click does so for options, and for commands only in its newer versions."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named.

        Raises:
            click.UsageError: No command has that name; the message has those that come close.
        """
        name, known = args[0], self.list_commands(ctx)
        if name in known or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        close = " or ".join(get_close_matches(name, known))
        advice = f"Did you mean {close}?" if close else f"There are {', '.join(known)}."
        raise click.UsageError(f"No such command {name!r}. {advice}", ctx)
