"""Which options were typed: those without anything to act on are refused by name."""

from collections.abc import Collection

import click

from cnnkit.errors import UsageError


def refuse_typed(names: Collection[str], why: str) -> None:
    """Raise UsageError, `FLAGS why`, when one of these parameters of the running command was typed."""
    context = click.get_current_context()
    typed = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name) is click.core.ParameterSource.COMMANDLINE
    ]
    if typed:
        raise UsageError(f"{', '.join(typed)}: {why}")
