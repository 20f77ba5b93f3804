"""The command line: one file per command, options and messages only. Start-up imports click and nothing heavy."""

import gc
import importlib
import os
from difflib import get_close_matches

import click

from cnnkit import __version__

__all__ = ["COMMANDS", "cnnkit", "main"]

# verb -> module:command, in the order of the work; a verb stands here when it works
COMMANDS = {
    "train": "cnnkit.cli.train:train_command",
    "export": "cnnkit.cli.export:export_command",
    "verify": "cnnkit.cli.verify:verify_command",
    "attach": "cnnkit.cli.attach:attach_command",
    "quantize": "cnnkit.cli.quantize:quantize_command",
    "infer": "cnnkit.cli.infer:infer_command",
    "eval": "cnnkit.cli.eval:eval_command",
    "compare": "cnnkit.cli.compare:compare_command",
    "bench": "cnnkit.cli.bench:bench_command",
    "inspect": "cnnkit.cli.inspect:inspect_command",
    "data": "cnnkit.cli.data:data_command",
    "doctor": "cnnkit.cli.doctor:doctor_command",
    "demo": "cnnkit.cli.demo:demo_command",
}
ALIASES = {"predict": "infer", "val": "eval", "benchmark": "bench"}


class _Verbs(click.Group):
    """Commands are imported when they are asked for; their modules are light by themselves."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = ALIASES.get(cmd_name, cmd_name)
        if verb not in COMMANDS:
            return None
        module, _, name = COMMANDS[verb].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if (
            args
            and self.get_command(ctx, args[0]) is None
            and (near := get_close_matches(args[0], [*COMMANDS, *ALIASES]))
        ):
            ctx.fail(f"No such command '{args[0]}'. Did you mean {' or '.join(near)}?")
        _, command, rest = super().resolve_command(ctx, args)
        return command.name if command else None, command, rest


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cnnkit")
def cnnkit() -> None:
    """A trained PyTorch image model becomes one .onnx file that knows how to read an image.

    Run it over folders with onnxruntime and measure honestly how good it is. Aliases: predict is
    infer, val is eval.
    """


def main() -> None:
    # a fifth of the start is the collector's, over classes that stay, and pydantic's search for plugins
    gc.set_threshold(100_000, 20, 20)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    cnnkit(prog_name="cnnkit")
