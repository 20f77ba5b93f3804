"""What training writes and export reads: one file of plain types that opens without running code."""

import pickle
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import files
from cnnkit.errors import MachineError, ModelError
from cnnkit.spec import ModelSpec, parse_spec

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checkpoint", "Weights", "load_checkpoint", "read_weights", "save_checkpoint", "without_prefix"]

FORMAT = "cnnkit.checkpoint"
SCHEMA = 1

# the keys that a state dict lies under, and what wrappers put before its names: DataParallel, compile, Lightning
NESTED = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params", "state_dict_ema")
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
SHOWN = 4

MAKE_ONE = "`cnnkit train DATA -o model.pt` makes a checkpoint."


@dataclass(frozen=True)
class Checkpoint:
    """A trained network: `create(architecture, len(classes), **arguments)` takes `state_dict`; `spec` feeds it."""

    architecture: str
    arguments: Mapping[str, Any]
    state_dict: Mapping[str, "Tensor"]
    classes: list[str]
    spec: ModelSpec
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.classes != self.spec.names:
            raise ValueError(f"the checkpoint's classes {self.classes} are not those of its spec {self.spec.names}")


@dataclass(frozen=True)
class Weights:
    """Tensors by name, and the classes they were trained for where the file says so.

    `note` is a sentence on which of the file's tensors these are, where they lie under a key of it.
    """

    tensors: dict[str, "Tensor"]
    classes: list[str] | None = None
    note: str | None = None


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    import torch

    facts = {
        "format": FORMAT,
        "schema": SCHEMA,
        "architecture": checkpoint.architecture,
        "arguments": dict(checkpoint.arguments),
        "classes": list(checkpoint.classes),
        "spec": checkpoint.spec.to_json(),
        "training": dict(checkpoint.training),
        "state_dict": {name: tensor.detach().cpu() for name, tensor in checkpoint.state_dict.items()},
    }
    with files.replace_atomically(path) as temporary:
        torch.save(facts, temporary)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; ModelError for any other file, which is never unpickled."""
    facts = _open(path, allow_pickle=False)
    if not isinstance(facts, Mapping) or facts.get("format") != FORMAT:
        raise ModelError(f"{path}: is not a checkpoint of cnnkit: {_description(facts)}")
    if facts.get("schema") != SCHEMA:
        raise ModelError(
            f"{path}: the checkpoint has schema {facts.get('schema')}, this cnnkit reads {SCHEMA}. Upgrade cnnkit."
        )
    try:
        return Checkpoint(
            architecture=facts["architecture"],
            arguments=facts["arguments"],
            state_dict=facts["state_dict"],
            classes=list(facts["classes"]),
            spec=parse_spec(facts["spec"], source=str(path)),
            training=facts["training"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: the checkpoint is damaged: {error}") from error


def read_weights(path: Path, *, allow_pickle: bool = False) -> Weights:
    """The tensors of a checkpoint, of another PyTorch file or of a `.safetensors` file, by name.

    A state dict may lie under one of the usual keys. What is not tensors is unpickled only with `allow_pickle`, since
    that runs code from the file.

    Raises:
        ModelError: unreadable, without tensors, or in need of pickled code.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file of weights.")
    if path.suffix == ".safetensors":
        return Weights(_read_safetensors(path))
    content = _open(path, allow_pickle=allow_pickle)
    tensors, keys = _tensors_of(content)
    if not tensors:
        raise ModelError(f"{path}: holds no weights by name; {_description(content)}")
    own = isinstance(content, Mapping) and content.get("format") == FORMAT
    return Weights(tensors, list(content["classes"])) if own else Weights(tensors, note=_taken(path, content, keys))


def without_prefix(tensors: Mapping[str, "Tensor"], wanted: Collection[str]) -> dict[str, "Tensor"]:
    """The tensors under their own names, where a wrapper's prefix (`module.`) keeps them from being those wanted."""
    for prefix in ("", *PREFIXES):
        named = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        if named.keys() >= set(wanted):
            return named
    return dict(tensors)


def _tensors_of(content: Any) -> tuple[dict[str, "Tensor"], tuple[str, ...]]:
    """Tensors by name, and the keys under which they lie."""
    import torch

    if hasattr(content, "state_dict"):
        return dict(content.state_dict()), ()
    if not isinstance(content, Mapping):
        return {}, ()
    tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if tensors and len(tensors) == len(content):
        return tensors, ()
    for key in NESTED:
        inner, keys = _tensors_of(content.get(key))
        if inner:
            return inner, (key, *keys)
    return tensors, ()


def _taken(path: Path, content: Any, keys: Sequence[str]) -> str | None:
    """Averaged weights often lie beside the last ones, so what was passed over is named too."""
    if not keys:
        return None
    others = [f"[{key!r}]" for key, value in content.items() if key != keys[0] and _tensors_of(value)[0]]
    taken = "".join(f"[{key!r}]" for key in keys)
    return f"{path}: the weights in {taken} are taken{f', not those in {_listed(others)}' if others else ''}."


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")


def _read_safetensors(path: Path) -> dict[str, "Tensor"]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise MachineError(f'safetensors is not installed ({error}). Install: pip install "cnnkit[export]".') from error
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: is no safetensors file: {error}") from error


def _open(path: Path, *, allow_pickle: bool) -> Any:
    import torch

    if not path.is_file():
        raise ModelError(f"{path}: no such file.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not allow_pickle:
            raise ModelError(_refused(path, str(error))) from error
    except Exception as error:  # bytes of any kind end in any exception
        raise ModelError(f"{path}: is damaged or no PyTorch file. {MAKE_ONE}") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # pickled code may raise anything
        raise ModelError(f"{path}: its pickled objects cannot be loaded: {type(error).__name__}: {error}") from error


def _refused(path: Path, reason: str) -> str:
    named = re.search(r"GLOBAL (\S+)", reason)
    if named is None and not zipfile.is_zipfile(path):
        return f"{path}: is damaged or no PyTorch file. {MAKE_ONE}"
    what = f"an object of {named[1]}" if named else "objects that are not tensors"
    return (
        f"{path}: holds {what}, pickled: loading it would run code from the file. Save the weights alone, with "
        "torch.save(model.state_dict(), PATH); or, if you trust the file, name what makes the network and load it with "
        f"--allow-pickle: package.module:make --weights {path} --allow-pickle."
    )


def _description(content: Any) -> str:
    if not isinstance(content, Mapping):
        return f"it holds {type(content).__name__}."
    tensors = sum(hasattr(value, "shape") for value in content.values())
    if content and tensors == len(content):
        return (
            f"it holds {tensors} tensors and neither the network nor its preprocessing. Say which network it is for: "
            "`cnnkit export NAME --weights FILE`, or `cnnkit train DATA -o model.pt --net NAME --weights FILE`."
        )
    more = ", ..." if len(content) > SHOWN else ""
    return f"it holds {', '.join(repr(key) for key in list(content)[:SHOWN]) or 'nothing'}{more}."
