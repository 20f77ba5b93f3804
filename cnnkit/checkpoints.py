"""What training writes and export reads: one file of plain types that opens without running code."""

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import files
from cnnkit.errors import MachineError, ModelError
from cnnkit.spec import ModelSpec, parse_spec

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checkpoint", "Weights", "load_checkpoint", "load_weights", "save_checkpoint"]

FORMAT = "cnnkit.checkpoint"
SCHEMA = 1

# what training scripts put around a state dict, and before its names
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network")
PREFIXES = ("module.", "_orig_mod.")

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
    """Tensors by name, and the classes they were trained for where the file says so."""

    tensors: dict[str, "Tensor"]
    classes: list[str] | None = None


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
    facts = _read(path)
    if facts.get("format") != FORMAT:
        raise ModelError(f"{path} is not a checkpoint of cnnkit: {_description(facts)}")
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


def load_weights(path: Path) -> Weights:
    """Read a state dict: a checkpoint of cnnkit, a `.pth` or `.pt` of PyTorch, or `.safetensors`.

    A state dict that lies under `state_dict`, `model` and the like is found; `module.` and `_orig_mod.` before every
    name are taken off. ModelError for any other file, which is never unpickled.
    """
    if path.suffix == ".safetensors":
        return Weights(_without_prefix(_read_safetensors(path)))
    facts = _read(path)
    if facts.get("format") == FORMAT:
        saved = load_checkpoint(path)
        return Weights(dict(saved.state_dict), saved.classes)
    inner = next((facts[name] for name in WRAPPERS if isinstance(facts.get(name), Mapping)), facts)
    if not inner or not all(hasattr(value, "shape") for value in inner.values()):
        raise ModelError(f"{path} holds no weights: {_description(facts)}")
    return Weights(_without_prefix(inner))


def _without_prefix(tensors: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return dict(tensors)


def _read_safetensors(path: Path) -> Mapping[str, "Tensor"]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise MachineError(f'safetensors is not installed ({error}). Install: pip install "cnnkit[export]".') from error
    try:
        tensors: Mapping[str, Tensor] = load_file(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file.") from error
    except Exception as error:  # safetensors raises its own class for every kind of damage
        raise ModelError(f"{path} is damaged or no safetensors file: {error}") from error
    return tensors


def _read(path: Path) -> Mapping[str, Any]:
    import torch

    if not path.is_file():
        raise ModelError(f"{path}: no such file.")
    try:
        facts = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not zipfile.is_zipfile(path):
            raise ModelError(f"{path} is no PyTorch file. {MAKE_ONE}") from error
        raise ModelError(
            f"{path} holds pickled Python objects, which cnnkit does not run. In the program that made it, save the "
            "weights alone with torch.save(model.state_dict(), PATH), or give the module itself to cnnkit.export()."
        ) from error
    except Exception as error:  # bytes of any kind end in any exception
        raise ModelError(f"{path} is no PyTorch file, or damaged. {MAKE_ONE}") from error
    return facts if isinstance(facts, Mapping) else {f"a {type(facts).__name__}": facts}


def _description(facts: Mapping[str, Any]) -> str:
    tensors = sum(hasattr(value, "shape") for value in facts.values())
    if facts and tensors == len(facts):
        return (
            f"it holds {tensors} tensors and neither the network nor its preprocessing. Fine-tune from it with "
            "`cnnkit train DATA -o model.pt --net NAME --weights FILE`, or build the module and use cnnkit.export()."
        )
    return f"it holds {', '.join(str(key) for key in list(facts)[:5]) or 'nothing'}."
