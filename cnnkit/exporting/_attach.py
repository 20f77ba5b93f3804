"""A spec into a file that others made, for good."""

from pathlib import Path
from typing import Unpack

from cnnkit import __version__, graphs, pipeline
from cnnkit.errors import UsageError
from cnnkit.spec import METADATA_KEY, ModelSpec


def attach(
    model: Path, output: Path, *, overwrite: bool = False, **options: Unpack[pipeline.SpecOptions]
) -> tuple[ModelSpec, tuple[str, ...]]:
    """Copy an .onnx file with the spec that these options give it inside; the graph stays as it is.

    Args:
        model: the file; what its own metadata says is used.
        output: the file to write; may be `model` itself with `overwrite`.
        overwrite: replace a file that is there.
        options: as `pipeline.open_model` takes them.

    Returns:
        The spec, and sentences on what was deduced for it.

    Raises:
        UsageError: a file is there already.
        ModelError: no ONNX file, or one that does not fit its spec.
    """
    if output.exists() and not overwrite:
        raise UsageError(f"{output}: is there already. Give --overwrite to replace it, or another -o.")
    opened = pipeline.open_model(model, device="cpu", **options)
    kept = {key: value for key, value in opened.spec.provenance.items() if key != "attached_by"}
    provenance = {"source": str(model), **kept, "attached_by": f"cnnkit {__version__}", "notes": list(opened.notes)}
    spec = opened.spec.model_copy(update={"provenance": provenance})
    graphs.write_metadata(model, output, {METADATA_KEY: spec.to_json()})
    return spec, opened.notes
