"""Weights that lie in files beside the .onnx: above protobuf's limit there is no other place for them."""

import hashlib
from math import prod
from pathlib import Path
from typing import Any

from cnnkit import files
from cnnkit.errors import ModelError
from cnnkit.graphs._search import mentions

SUFFIX = ".data"
FIELD = b"location"  # stands in every file that keeps weights elsewhere


def load_beside(model: Any, path: Path, *, at_most: int | None = None) -> None:
    """Bring a model's weights into memory from the files beside `path`; ModelError when one of them is gone.

    `at_most`: only tensors of so many bytes, such as the shapes that a graph computes with.
    """
    import onnx

    outside = [tensor for graph in _graphs(model) for tensor in graph.initializer if _locations(tensor)]
    beside = sorted({name for tensor in outside for name in _locations(tensor)})
    missing = [name for name in beside if not (path.parent / name).is_file()]
    if missing:
        raise ModelError(
            f"{path}: its weights lie in another file, {missing[0]}, which is not beside it. "
            "Put that file back, or export the model into one file."
        )
    wanted = [tensor for tensor in outside if at_most is None or bytes_of(tensor) <= at_most]
    for tensor in wanted:
        try:
            onnx.external_data_helper.load_external_data_for_tensor(tensor, str(path.parent))
            tensor.data_location = onnx.TensorProto.DEFAULT
            del tensor.external_data[:]
        except (onnx.checker.ValidationError, ValueError, OSError) as error:
            place = _locations(tensor)[0]
            raise ModelError(f"{path}: its weight {tensor.name!r} in {place} cannot be read: {error}") from error


def bytes_of(tensor: Any) -> int:
    """The size of a tensor's values, told from its shape."""
    import onnx

    return int(prod(tensor.dims)) * int(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)


def sha256_of(path: Path) -> str:
    """The identity of a model: the hash of its file; with weights beside it, of the hashes of all of its files."""
    own = files.sha256_of(path)
    beside = [path.parent / name for name in _names_in(path)]
    if not beside:
        return own
    hashes = [own, *(files.sha256_of(each) for each in beside if each.is_file())]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def size_of(path: Path) -> int:
    """Bytes on the disk, weights beside the file included."""
    beside = (path.parent / name for name in _names_in(path))
    return path.stat().st_size + sum(each.stat().st_size for each in beside if each.is_file())


def _names_in(path: Path) -> list[str]:
    if not mentions(path, FIELD):  # nearly every file: answered without parsing it
        return []
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return _names(onnx.load(str(path), load_external_data=False))
    except DecodeError:
        return []


def _names(model: Any) -> list[str]:
    return sorted({name for graph in _graphs(model) for tensor in graph.initializer for name in _locations(tensor)})


def _graphs(model: Any) -> list[Any]:
    found, waiting = [], [model.graph]
    while waiting:
        graph = waiting.pop()
        found.append(graph)
        attributes = [attribute for node in graph.node for attribute in node.attribute]
        waiting += [inner for attribute in attributes for inner in (attribute.g, *attribute.graphs) if inner.node]
    return found


def _locations(tensor: Any) -> list[str]:
    return [entry.value for entry in tensor.external_data if entry.key == "location"]
