"""docs/cli.md, generated from the commands: `python -m cnnkit.cli.reference`."""

import sys

import click

from cnnkit.cli import COMMANDS, cnnkit


def reference() -> str:
    """Every command's help, as Markdown."""
    context = click.Context(cnnkit, info_name="cnnkit", **cnnkit.context_settings)
    sections = ["# Command line", "Generated from the commands by `make docs`.", _help(cnnkit, context)]
    for name in COMMANDS:
        command = cnnkit.get_command(context, name)
        if command is not None:
            sections += _sections(command, name, context)
    return "\n\n".join(sections) + "\n"


def _sections(command: click.Command, name: str, parent: click.Context) -> list[str]:
    """A command's heading and help, then those of its subcommands."""
    context = click.Context(command, info_name=name, parent=parent, max_content_width=100)
    sections = [f"## {context.command_path}", _help(command, context)]
    for inner, subcommand in (command.commands if isinstance(command, click.Group) else {}).items():
        sections += _sections(subcommand, inner, context)
    return sections


def _help(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```"


if __name__ == "__main__":
    sys.stdout.write(reference())
