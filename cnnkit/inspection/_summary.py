"""The facts about a file, a checkpoint or a network."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Unpack

from cnnkit import graphs, importers, models, pipeline
from cnnkit.errors import CnnkitError, ModelError, UsageError
from cnnkit.spec import METADATA_KEY, ModelSpec, parse_spec


@dataclass(frozen=True)
class Inspection:
    """A model file, or a network by name (then `path` and `sha256` are None and `spec` is what a checkpoint holds).

    `summary` has inputs, outputs, opset, layers, parameters and multiply-adds at batch 1 and the spec's size.
    `notes` say what the spec of a file without one of cnnkit's was deduced from, or why it could not be.
    """

    name: str
    path: Path | None
    sha256: str | None
    spec: ModelSpec | None
    summary: graphs.GraphSummary
    quantizes_dynamically: bool = False
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain types; of the file's metadata the keys without cnnkit's own."""
        summary = asdict(self.summary)
        metadata = {key: value for key, value in summary.pop("metadata").items() if key != METADATA_KEY}
        return {
            "name": self.name,
            "path": str(self.path) if self.path else None,
            "sha256": self.sha256,
            **summary,
            "quantizes_dynamically": self.quantizes_dynamically,
            "metadata": metadata,
            "spec": self.spec.to_dict() if self.spec else None,
            "spec_hash": self.spec.spec_hash if self.spec else None,
        }


def inspect(what: str | Path, *, classes: int = 1000, **options: Unpack[pipeline.SpecOptions]) -> Inspection:
    """Look into an .onnx file, a checkpoint of `cnnkit train`, or a network of `cnnkit.models` (with `classes`).

    A network's name as text wins over a folder of that name; `./digits`, or a Path, is the folder. `options` override
    what a file says, or say it for one that says nothing, as `pipeline.open_model` takes them.

    Raises ModelError for a file that is none of these, UsageError for a name that no network has.
    """
    path = Path(what)
    is_checkpoint = path.suffix.lower() in (".pt", ".pth") and path.is_file()
    is_name = not path.exists() and path.suffix == "" and len(path.parts) == 1
    if what not in models.NETWORKS and not is_name and not is_checkpoint:
        return _file(path, options)
    if any(value is not None for value in options.values()):
        raise UsageError(f"{what}: is no .onnx file, and only of one can be said how it reads an image.")
    return _checkpoint(path) if is_checkpoint else _network(str(what), classes)


def _file(path: Path, options: pipeline.SpecOptions) -> Inspection:
    summary = graphs.summarize(path)
    spec, notes = _spec_of(path, summary.metadata, options)
    if spec is not None and METADATA_KEY not in summary.metadata:
        summary = graphs.summarize(path, size=spec.input.size)
    dynamic = graphs.quantizes_dynamically(path)
    return Inspection(
        path.stem, path, graphs.sha256_of(path), spec, summary, quantizes_dynamically=dynamic, notes=notes
    )


def _spec_of(
    path: Path, metadata: dict[str, str], options: pipeline.SpecOptions
) -> tuple[ModelSpec | None, tuple[str, ...]]:
    """How `infer` would read an image for the file, and what it would say of that."""
    if any(value is not None for value in options.values()):
        return _opened(path, options)
    text = metadata.get(METADATA_KEY)
    if text is not None:
        return parse_spec(text, source=str(path)), ()
    try:
        return (None, ()) if importers.find_description(path, metadata) is None else _opened(path, options)
    except CnnkitError as error:
        return None, (str(error),)


def _opened(path: Path, options: pipeline.SpecOptions) -> tuple[ModelSpec, tuple[str, ...]]:
    opened = pipeline.open_model(path, device="cpu", **options)
    return opened.spec, opened.notes


def _checkpoint(path: Path) -> Inspection:
    from cnnkit.verification import open_source

    source = open_source(str(path))
    if source.spec is None:
        raise ModelError(f"{path}: does not say what images it takes.")
    shape = (1, source.spec.input.n_channels, *source.spec.input.size)
    return Inspection(path.name, path, graphs.sha256_of(path), source.spec, _drawn(source.module, shape))


def _network(name: str, classes: int) -> Inspection:
    natural = models.network(name).input
    channels = 1 if natural.channels == "GRAY" else 3
    shape = (1, channels, natural.size, natural.size)
    return Inspection(name, None, None, None, _drawn(models.create(name, classes), shape))


def _drawn(module: Any, shape: tuple[int, ...]) -> graphs.GraphSummary:
    """The layers of a torch module, by way of a file that is thrown away."""
    from cnnkit import exporting

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.onnx"
        exporting.draft(module, shape, path)
        return graphs.summarize(path)
