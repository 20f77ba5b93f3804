"""Weights from a file, without running what is in it, and into a module."""

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

State = Mapping[str, "Tensor"]

NESTED = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params", "state_dict_ema")
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")  # DataParallel, compile, Lightning and the like
SHOWN = 4


def read_weights(path: Path, *, allow_pickle: bool = False) -> State:
    """The tensors of a `.safetensors` file or of a PyTorch file by name.

    A PyTorch file is opened with `weights_only=True`; a state dict may lie under one of the usual keys.

    Raises ModelError: unreadable, without tensors, or in need of pickled code that `allow_pickle` does not allow.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file of weights.")
    content = _safetensors(path) if path.suffix == ".safetensors" else _torch(path, allow_pickle=allow_pickle)
    state = _state_of(content)
    if not state:
        keys = ", ".join(map(repr, list(content)[:SHOWN])) if isinstance(content, Mapping) else type(content).__name__
        raise ModelError(f"{path}: holds no weights by name; it holds {keys}.")
    return state


def load_weights(module: "nn.Module", state: State, *, path: Path, what: str) -> None:
    """Put weights into a module, every one; a prefix that a wrapper left (`module.`) is taken off."""
    wanted = dict(module.state_dict())
    for prefix in ("", *PREFIXES):
        named = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
        if named.keys() >= wanted.keys() or prefix == PREFIXES[-1]:
            break
    if not named.keys() >= wanted.keys():
        named = dict(state)
    problems = _misfits(wanted, named)
    if problems:
        raise ModelError(f"{path}: its weights do not fit {what}: {'; '.join(problems)}.")
    module.load_state_dict({name: named[name] for name in wanted})


def _misfits(wanted: State, given: State) -> list[str]:
    missing = sorted(wanted.keys() - given.keys())
    left_over = sorted(given.keys() - wanted.keys())
    shapes = [
        f"{name} is {tuple(given[name].shape)} there and {tuple(wanted[name].shape)} here"
        for name in wanted
        if name in given and given[name].shape != wanted[name].shape
    ]
    problems = [f"it has no {_few(missing)}"] if missing else []
    problems += [f"nothing takes its {_few(left_over)}"] if left_over else []
    return problems + ([", ".join(shapes[:SHOWN])] if shapes else [])


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _state_of(content: Any) -> State:
    if hasattr(content, "state_dict"):
        return dict(content.state_dict())
    if not isinstance(content, Mapping):
        return {}
    tensors = {str(name): value for name, value in content.items() if _is_tensor(value)}
    if tensors and len(tensors) == len(content):
        return tensors
    for key in NESTED:
        if key in content and (inner := _state_of(content[key])):
            return inner
    return tensors


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: is no safetensors file: {error}") from error


def _torch(path: Path, *, allow_pickle: bool) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not allow_pickle:
            raise ModelError(_refused(path, str(error))) from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: is damaged or no PyTorch file: {error}") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # pickled code may raise anything
        raise ModelError(f"{path}: its pickled objects cannot be loaded: {type(error).__name__}: {error}") from error


def _refused(path: Path, reason: str) -> str:
    named = re.search(r"GLOBAL (\S+)", reason)
    what = f"an object of {named[1]}" if named else "objects that are not tensors"
    return (
        f"{path}: holds {what}, pickled: loading it would run code from the file. Save the weights alone, with "
        "torch.save(model.state_dict(), PATH); or, if you trust the file, give --allow-pickle."
    )
