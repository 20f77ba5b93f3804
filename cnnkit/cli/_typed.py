"""Which options were typed: those without anything to act on are refused by name."""

from collections.abc import Collection

import click

from cnnkit.errors import UsageError


def typed(*names: str) -> list[str]:
    """The flags, by their long names, of those of these parameters of the running command that were typed."""
    context = click.get_current_context()
    return [
        max(parameter.opts, key=len)
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name) is click.core.ParameterSource.COMMANDLINE
    ]


def refuse_typed(names: Collection[str], why: str) -> None:
    """Raise UsageError, `FLAGS why`, when one of these parameters of the running command was typed."""
    stray = typed(*names)
    if stray:
        raise UsageError(f"{', '.join(stray)}: {why}")
