"""Fine-tuning: weights from a file go into a network, whose head is new where the classes differ."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnkit import models
from cnnkit.checkpoints import Weights, read_weights, without_prefix
from cnnkit.errors import ModelError

__all__ = ["take_weights"]

AUXILIARY = ("aux1.", "aux2.")  # heads that some files of GoogLeNet leave out


def take_weights(network: nn.Module, path: Path, *, net: str, classes: Sequence[str], arguments: dict[str, Any]) -> str:
    """Load `path` into `network` and say in a sentence what became of the head.

    The head is what changes its shape with the number of classes. It stays as drawn when the file has another number
    of classes, or names other classes; everything else must fit.

    Raises:
        ModelError: a file that holds no weights, or those of another network.
    """
    weights, own = read_weights(path), network.state_dict()
    required = [name for name in own if not name.startswith(AUXILIARY)]
    given = without_prefix(weights.tensors, required)
    head = _head(net, arguments)
    missing = [name for name in required if name not in given]
    unexpected = [name for name in given if name not in own]
    if missing or unexpected:
        raise ModelError(_not_its_names(path, net, missing, unexpected))
    misfits = [name for name, tensor in given.items() if tensor.shape != own[name].shape]
    wrong = next((name for name in misfits if name not in head), None)
    if wrong is not None:
        shapes = f"{list(given[wrong].shape)} in the file, {list(own[wrong].shape)} in the network"
        raise ModelError(f"{path} does not fit {net}: {wrong} is {shapes}.")
    fresh = bool(misfits) or _names_others(weights, classes)
    kept = {name: tensor for name, tensor in given.items() if not (fresh and name in head)}
    network.load_state_dict({**own, **kept})
    head_now = (
        f"with a new head for {len(classes)} classes" if fresh else f"its head for {len(classes)} classes included"
    )
    return " ".join([*([weights.note] if weights.note else []), f"Starts from {path}, {head_now}."])


def _head(net: str, arguments: dict[str, Any]) -> set[str]:
    """The names of the tensors whose shape hangs on the number of classes."""
    with torch.device("meta"):
        two = models.create(net, 2, **arguments).state_dict()
        three: dict[str, Tensor] = models.create(net, 3, **arguments).state_dict()
    return {name for name, tensor in two.items() if tensor.shape != three[name].shape}


def _names_others(weights: Weights, classes: Sequence[str]) -> bool:
    return weights.classes is not None and weights.classes != list(classes)


def _not_its_names(path: Path, net: str, missing: list[str], unexpected: list[str]) -> str:
    parts = []
    if missing:
        parts.append(f"{len(missing)} tensors are missing ({', '.join(missing[:3])})")
    if unexpected:
        parts.append(f"{len(unexpected)} are not its own ({', '.join(unexpected[:3])})")
    return f"{path} does not hold the weights of {net}: {' and '.join(parts)}. Is --net right?"
