"""What training writes and export reads: one file of plain types that opens without running code."""

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import files
from cnnkit.errors import ModelError
from cnnkit.spec import ModelSpec, parse_spec

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT = "cnnkit.checkpoint"
SCHEMA = 1


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


def _read(path: Path) -> Mapping[str, Any]:
    import torch

    if not path.exists():
        raise ModelError(f"{path}: no such checkpoint.")
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise ModelError(
            f"{path} is not a checkpoint of cnnkit, or one that was cut short. `cnnkit train DATA -o model.pt` makes one."
        )
    try:
        facts = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} holds pickled Python objects, which cnnkit does not run. In the program that made it, save the "
            "weights alone with torch.save(model.state_dict(), PATH), or give the module itself to cnnkit.export()."
        ) from error
    except (RuntimeError, EOFError, ValueError, LookupError) as error:
        raise ModelError(f"{path}: the checkpoint is damaged: {str(error).splitlines()[0]}") from error
    return facts if isinstance(facts, Mapping) else {f"a {type(facts).__name__}": facts}


def _description(facts: Mapping[str, Any]) -> str:
    tensors = sum(hasattr(value, "shape") for value in facts.values())
    if facts and tensors == len(facts):
        return (
            f"it holds {tensors} tensors and neither the network nor its preprocessing. Fine-tune from it with "
            "`cnnkit train DATA -o model.pt --net NAME --weights FILE`, or build the module and use cnnkit.export()."
        )
    return f"it holds {', '.join(str(key) for key in list(facts)[:5]) or 'nothing'}."
