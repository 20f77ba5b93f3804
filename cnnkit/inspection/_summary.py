"""The facts about a file, a checkpoint or a network."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnkit import graphs, models
from cnnkit.errors import ModelError
from cnnkit.spec import METADATA_KEY, ModelSpec, parse_spec


@dataclass(frozen=True)
class Inspection:
    """A model file, or a network by name (then `path` and `sha256` are None and `spec` is what a checkpoint holds).

    `summary` has inputs, outputs, opset, layers, parameters and multiply-adds at batch 1 and the spec's size.
    """

    name: str
    path: Path | None
    sha256: str | None
    spec: ModelSpec | None
    summary: graphs.GraphSummary
    quantizes_dynamically: bool = False

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


def inspect(what: str | Path, *, classes: int = 1000) -> Inspection:
    """Look into an .onnx file, a checkpoint of `cnnkit train`, or a network of `cnnkit.models` (with `classes`).

    Raises ModelError for a file that is none of these, UsageError for a name that no network has.
    """
    path = Path(what)
    if not path.exists() and path.suffix == "" and len(path.parts) == 1:
        return _network(str(what), classes)
    if path.suffix.lower() in (".pt", ".pth") and path.is_file():
        return _checkpoint(path)
    return _file(path)


def _file(path: Path) -> Inspection:
    summary = graphs.summarize(path)
    text = summary.metadata.get(METADATA_KEY)
    spec = None if text is None else parse_spec(text, source=str(path))
    return Inspection(
        path.stem, path, graphs.sha256_of(path), spec, summary, quantizes_dynamically=graphs.quantizes_dynamically(path)
    )


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
