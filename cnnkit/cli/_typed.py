"""Which options were typed: those without anything to act on are refused by name, and a job gets only these."""

from collections.abc import Collection
from typing import Any

import click

from cnnkit.errors import UsageError


def typed(*names: str) -> list[str]:
    """The flags, by their long names, of those of these parameters of the running command that were typed."""
    context = click.get_current_context()
    return [
        max(parameter.opts, key=len)
        for parameter in context.command.params
        if parameter.name in names and _was_typed(parameter.name)
    ]


def typed_values(options: dict[str, Any], *, but: Collection[str] = ()) -> dict[str, Any]:
    """Those of these options that were typed: what was not is the job's to choose."""
    return {name: value for name, value in options.items() if name not in but and _was_typed(name)}


def refuse_typed(names: Collection[str], why: str) -> None:
    """Raise UsageError, `FLAGS why`, when one of these parameters of the running command was typed."""
    stray = typed(*names)
    if stray:
        raise UsageError(f"{', '.join(stray)}: {why}")


def _was_typed(name: str) -> bool:
    context = click.get_current_context()
    # click calls an empty list of arguments typed
    return (
        context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE and context.params.get(name) != ()
    )
