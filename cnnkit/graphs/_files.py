"""ONNX files in and out: loaded with an error that says what is wrong, written whole, metadata and opset read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.files import write_bytes

MAX_BYTES = 2**31 - 1  # protobuf's limit for one message
STACK_TRACE = "pkg.torch.onnx.stack_trace"


def load(path: Path) -> Any:
    """Read a file as `onnx.ModelProto`, weights from beside it included; ModelError where it is not one."""
    import onnx
    from google.protobuf.message import DecodeError

    data = _read(path)
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelError(f"{path}: not an ONNX file: its bytes are no ONNX model ({error}).") from error
    if not model.graph.node or not model.opset_import:
        raise ModelError(f"{path}: not an ONNX file: it holds no graph.")
    _load_external(model, path)
    return model


def save(model: Any, path: Path) -> None:
    """Write one file, whole or not at all, weights inside."""
    if model.ByteSize() > MAX_BYTES:
        size = model.ByteSize() / 2**30
        raise ModelError(f"{path}: the model takes {size:.1f} GiB, and one ONNX file holds at most 2.")
    write_bytes(path, model.SerializeToString())


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


def _load_external(model: Any, path: Path) -> None:
    import onnx

    beside = sorted({location for tensor in model.graph.initializer for location in _locations(tensor)})
    missing = [name for name in beside if not (path.parent / name).is_file()]
    if missing:
        raise ModelError(
            f"{path}: its weights lie in another file, {missing[0]}, which is not beside it. "
            "Put that file back, or export the model into one file."
        )
    if beside:
        onnx.load_external_data_for_model(model, str(path.parent))


def _locations(tensor: Any) -> list[str]:
    return [entry.value for entry in tensor.external_data if entry.key == "location"]
