"""docs/cli.md, generated from the commands: `python -m cnnkit.cli.reference`."""

import sys

import click

from cnnkit.cli import COMMANDS, cnnkit


def reference() -> str:
    """Every command's help, as Markdown."""
    context = click.Context(cnnkit, info_name="cnnkit", max_content_width=100)
    sections = ["# Command line", "Generated from the commands by `make docs`.", _help(cnnkit, context)]
    for name in COMMANDS:
        command = cnnkit.get_command(context, name)
        if command is not None:
            inner = click.Context(command, info_name=name, parent=context, max_content_width=100)
            sections += [f"## cnnkit {name}", _help(command, inner)]
    return "\n\n".join(sections) + "\n"


def _help(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```"


if __name__ == "__main__":
    sys.stdout.write(reference())
