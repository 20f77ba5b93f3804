"""What `torch.export.save` wrote: a `.pt2` file."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.verification._source import Source

PICKLED_KINDS = ("custom_obj", "opaque_obj")


def open_program(path: Path, *, allow_pickle: bool = False) -> Source:
    """Open an exported program of one image input; ModelError when it has another or would run pickled code."""
    import torch

    if not allow_pickle:
        _refuse_pickles(path)
    try:
        program = torch.export.load(path)
    except Exception as error:  # whatever the loader meets in a damaged file
        raise ModelError(f"{path}: torch cannot load it: {type(error).__name__}: {error}") from error
    shape = _input_shape(program, path)
    batch = shape[0] if isinstance(shape[0], int) else None
    module: Any = program.module()
    return Source(
        module, path.stem, str(path), shape=(int(shape[1]), int(shape[2]), int(shape[3])), fixed_batch=batch,
        facts={"program": "torch.export"},
    )  # fmt: skip


def _input_shape(program: Any, path: Path) -> list[Any]:
    names = set(program.graph_signature.user_inputs)
    values = [node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    shapes = [[side if isinstance(side, int) else str(side) for side in value.shape] for value in values]
    if len(shapes) != 1 or len(shapes[0]) != 4 or not all(isinstance(side, int) for side in shapes[0][1:]):
        raise ModelError(f"{path}: one input (N, C, H, W) of a fixed size was expected, it takes {shapes}.")
    return shapes[0]


def _refuse_pickles(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            reasons = list(_pickles(archive))
    except (OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: is no file that torch.export.save wrote: {error}") from error
    if reasons:
        raise ModelError(
            f"{path}: {reasons[0]}: loading it would run code from the file. "
            "If you trust the file, give --allow-pickle."
        )


def _pickles(archive: zipfile.ZipFile) -> Iterator[str]:
    """Why the archive cannot be loaded without unpickling, in words."""
    names = archive.namelist()
    if not any(name.endswith("archive_format") for name in names):
        yield "it is of an older form that holds pickled objects"
    for name in names:
        if name.endswith("_config.json"):
            entries = json.loads(archive.read(name)).get("config", {})
            pickled = [key for key, entry in entries.items() if _is_pickled(entry)]
            if pickled:
                yield f"{pickled[0]} is pickled"
        elif "/sample_inputs/" in name and not _opens_as_tensors(archive.read(name)):
            yield "its sample inputs are pickled objects"


def _is_pickled(entry: dict[str, Any]) -> bool:
    return bool(entry.get("use_pickle")) or str(entry.get("path_name", "")).startswith(PICKLED_KINDS)


def _opens_as_tensors(data: bytes) -> bool:
    import torch

    if not data:
        return True
    try:
        torch.load(io.BytesIO(data), weights_only=True)
    except Exception:  # anything that does not open so would be unpickled
        return False
    return True
