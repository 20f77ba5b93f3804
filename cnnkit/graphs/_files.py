"""ONNX files in and out: loaded with an error that says what is wrong, written whole, metadata and opset read."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.files import write_bytes
from cnnkit.graphs._beside import SUFFIX, bytes_of, load_beside

MAX_BYTES = 2**31 - 1  # protobuf's limit for one message
ROOM = 1 << 24  # for what is not weights
SMALLEST_MOVED = 1024  # bytes; smaller tensors are read to infer shapes, and stay
STACK_TRACE = "pkg.torch.onnx.stack_trace"


def load(path: Path, *, beside: bool = True) -> Any:
    """Read a file as `onnx.ModelProto`; ModelError where it is not one.

    `beside`: bring weights into memory that lie in files beside it; without them the large ones have their shape only.
    """
    import onnx
    from google.protobuf.message import DecodeError

    data = _read(path)
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelError(f"{path}: not an ONNX file: its bytes are no ONNX model ({error}).") from error
    if not model.graph.node or not model.opset_import:
        raise ModelError(f"{path}: not an ONNX file: it holds no graph.")
    load_beside(model, path, at_most=None if beside else SMALLEST_MOVED)
    return model


def save(model: Any, path: Path) -> None:
    """Write one file, whole or not at all, weights inside.

    Above protobuf's limit the weights go into a second file beside it, `NAME.onnx.data`; the two belong together.
    """
    if fits_in_one_file(size_of_weights(model)):
        write_bytes(path, model.SerializeToString())
    else:
        _save_in_two(model, path)


def to_bytes(model: Any, *, what: str) -> bytes:
    """A model as onnxruntime takes it from memory; ModelError, naming what cannot be done, above protobuf's limit."""
    size = size_of_weights(model)
    if not fits_in_one_file(size):
        raise ModelError(
            f"{what} needs the model in memory, where ONNX holds at most 2 GiB; it takes {size / 2**30:.1f}."
        )
    return bytes(model.SerializeToString())


def read_metadata(path: Path) -> dict[str, str]:
    """The keys and values that a file carries about itself."""
    return metadata_of(load(path))


def metadata_of(model: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}


def write_metadata(path_in: Path, path_out: Path, values: Mapping[str, str]) -> None:
    """Copy a model to `path_out` with these keys set; the other keys stay, and so does the graph."""
    model = load(path_in)
    set_metadata(model, values)
    save(model, path_out)


def set_metadata(model: Any, values: Mapping[str, str]) -> None:
    kept = {**metadata_of(model), **values}
    del model.metadata_props[:]
    for key, value in kept.items():
        model.metadata_props.add(key=key, value=value)


def opset_of(model: Any) -> int:
    """The version of the standard operators that a model asks for; 0 if it uses none."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    return max(versions, default=0)


def remove_stack_traces(model: Any) -> int:
    """Drop the source lines and paths that torch's exporter notes at each node; say how many there were."""
    removed = 0
    for node in all_nodes(model):
        kept = [entry for entry in node.metadata_props if entry.key != STACK_TRACE]
        removed += len(node.metadata_props) - len(kept)
        if len(kept) < len(node.metadata_props):
            copies = [(entry.key, entry.value) for entry in kept]
            del node.metadata_props[:]
            for key, value in copies:
                node.metadata_props.add(key=key, value=value)
    return removed


def all_nodes(model: Any) -> list[Any]:
    """Every node: of the graph, of its subgraphs (If, Loop, Scan) and of the model's own functions."""
    found = []
    waiting = [list(model.graph.node), *(list(function.node) for function in model.functions)]
    while waiting:
        nodes = waiting.pop()
        found += nodes
        for node in nodes:
            for attribute in node.attribute:
                waiting += [list(graph.node) for graph in (attribute.g, *attribute.graphs)]
    return found


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise ModelError(f"{path}: a folder, and an .onnx file was expected.")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such model file.") from None
    if not data:
        raise ModelError(f"{path}: not an ONNX file: it is empty.")
    return data


def fits_in_one_file(size: int) -> bool:
    """Whether so many bytes of weights, with the graph around them, stay within protobuf's limit."""
    return size <= MAX_BYTES - ROOM


def size_of_weights(model: Any) -> int:
    """Bytes of the tensors of a graph, told from their shapes."""
    return sum(bytes_of(tensor) for tensor in model.graph.initializer)


def _save_in_two(model: Any, path: Path) -> None:
    import onnx

    name = path.name + SUFFIX
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        onnx.save_model(
            model, temporary, save_as_external_data=True, location=name, size_threshold=SMALLEST_MOVED
        )  # takes the weights out of `model`
        path.unlink(missing_ok=True)  # never an old graph beside new weights
        (Path(folder) / name).replace(path.with_name(name))
        temporary.replace(path)
    load_beside(model, path)
