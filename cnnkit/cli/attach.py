from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb


@click.command(cls=Verb)
@click.argument("model", type=_options.PATH)
@click.option("-o", "--output", type=_options.PATH, required=True, help="The file to write.")
@_options.spec_options
@_options.overwrite_option
@_options.json_option
def attach_command(model: Path, output: Path, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Write a spec into an .onnx file that others made, so that it knows how to read an image.

    The spec is put together as `infer` and `eval` do it: from what the file or the configuration beside it says, from
    --preset or --spec, and from the flags that change single fields. Weights and graph stay as they are.
    """
    from cnnkit import exporting

    spec, notes = exporting.attach(model, output, overwrite=overwrite, **options)
    if as_json:
        _output.emit_json({"path": str(output), **spec.to_dict()})
        return
    for note in notes:
        _output.say(note)
    _output.say(f"{output}: {spec.task} with {len(spec.classes)} classes; `cnnkit inspect {output}` shows its spec.")
