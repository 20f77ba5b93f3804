"""What was typed as SOURCE, to a torch module and all that is known about it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnkit import models
from cnnkit.checkpoints import load_checkpoint, read_weights
from cnnkit.errors import ModelError, UsageError
from cnnkit.verification._objects import import_object, look_here_too, place_of
from cnnkit.verification._programs import open_program
from cnnkit.verification._source import Source
from cnnkit.verification._toolkits import open_timm, open_torchvision
from cnnkit.verification._weights import State, load_weights

TOOLKITS: dict[str, Callable[..., Source]] = {"timm": open_timm, "torchvision": open_torchvision}
OWN = re.compile(r"[\w.]+:[\w.]+")
KINDS = (
    "SOURCE is a checkpoint of `cnnkit train`, a .pt2 file of torch.export, package.module:make, timm:NAME, "
    "torchvision:NAME, or the name of a network with --weights FILE"
)


def open_source(text: str, *, weights: Path | None = None, allow_pickle: bool = False) -> Source:
    """Make the module that `text` names, with `weights` in it.

    Args:
        text: a checkpoint of `cnnkit train`; a `.pt2` file; `package.module:make`, where `make` is a module or a
            function that returns one; `timm:NAME`; `torchvision:NAME`; the name of a network of `cnnkit.models`,
            which wins over a file or folder of that name: `./digits` is the folder.
        weights: a `.pth` or `.safetensors` file; needed by a network's name.
        allow_pickle: unpickle what is not tensors, which runs code from the file.

    Raises:
        UsageError: `text` is none of these, or weights are missing or one too many.
        ModelError: a file or an own module is bad.
    """
    if text not in models.NETWORKS and Path(text).exists():
        return _file(Path(text), weights, allow_pickle=allow_pickle)
    if weights is None:
        return _named(text, None)
    if allow_pickle:
        look_here_too()  # a pickled network names the module of its class
    read = read_weights(weights, allow_pickle=allow_pickle)
    source = _named(text, (weights, read.tensors))
    return source if read.note is None else replace(source, notes=(read.note, *source.notes))


def _named(text: str, state: tuple[Path, State] | None) -> Source:
    prefix, _, name = text.partition(":")
    if prefix in TOOLKITS and name:
        return TOOLKITS[prefix](name, weights=state)
    if OWN.fullmatch(text):
        return _own(text, state)
    if text in models.NETWORKS:
        return _network(text, state)
    if "/" not in text and not Path(text).suffix:
        raise UsageError(f"{text}: there is no such file or network. {KINDS} ({', '.join(models.names())}).")
    raise UsageError(f"{text}: no such file. {KINDS}.")


def _file(path: Path, weights: Path | None, *, allow_pickle: bool) -> Source:
    if weights is not None:
        raise UsageError(f"{path}: brings its own weights, so --weights {weights} is one too many.")
    if path.suffix == ".pt2":
        return open_program(path, allow_pickle=allow_pickle)
    if path.suffix == ".onnx":
        raise UsageError(f"{path}: is an ONNX file already. `cnnkit attach` writes a spec into it.")
    return _checkpoint(path)


def _checkpoint(path: Path) -> Source:
    saved = load_checkpoint(path)
    module = models.create(saved.architecture, len(saved.classes), **saved.arguments)
    load_weights(module, saved.state_dict, path=path, what=saved.architecture)
    return Source(
        module.eval(),
        path.stem,
        str(path),
        spec=saved.spec,
        network=saved.architecture,
        data=_recorded_data(path, saved.training),
        facts={"architecture": saved.architecture, "training": _brief(saved.training)},
    )


def _own(text: str, state: tuple[Path, State] | None) -> Source:
    import torch

    made = import_object(text)
    if not isinstance(made, torch.nn.Module):
        if not callable(made):
            raise UsageError(
                f"{text!r}: is {type(made).__name__}, and a module or a function that makes one was expected."
            )
        made = _made(made, text)
    facts: dict[str, Any] = {"class": f"{type(made).__module__}.{type(made).__qualname__}"}
    if state is not None:
        load_weights(made, state[1], path=state[0], what=text)
        facts["weights"] = str(state[0])
    notes = () if state is not None else (f"No --weights: {text} has the weights that it makes itself.",)
    name = text.partition(":")[2].replace(".", "-") if state is None else state[0].stem
    return Source(made, name, text, facts=facts, notes=notes)


def _made(make: Callable[[], Any], text: str) -> Any:
    import torch

    try:
        made = make()
    except Exception as error:  # a function of the user's may raise anything
        raise ModelError(f"{text!r}: fails{place_of(error)}: {type(error).__name__}: {error}") from error
    if not isinstance(made, torch.nn.Module):
        raise UsageError(f"{text!r}: returns {type(made).__name__}, and a torch.nn.Module was expected.")
    return made


def _network(name: str, state: tuple[Path, State] | None) -> Source:
    if state is None:
        raise UsageError(f"{name}: is a network without weights. Give --weights FILE, or a checkpoint instead.")
    path, tensors = state
    fixed = _fixed_arguments(name, tensors)
    module = models.create(name, _class_count(name, tensors, fixed, path), **fixed)
    load_weights(module, tensors, path=path, what=name)
    side = fixed.get("size", models.network(name).input.size)
    channels = fixed.get("channels", 1 if models.network(name).input.channels == "GRAY" else 3)
    facts = {"architecture": name, "weights": str(path)}
    shape = (channels, side, side) if fixed else None
    return Source(module.eval(), path.stem, name, network=name, shape=shape, facts=facts)


def _fixed_arguments(name: str, tensors: State) -> dict[str, int]:
    """Channels and size of a network whose dense layers fit one input, as its weights have them."""
    network = models.network(name)
    if not network.fixed:
        return {}
    kernels = [tensor for tensor in tensors.values() if tensor.ndim == 4]
    channels = int(kernels[0].shape[1]) if kernels else 1
    return {"channels": channels, "size": network.input.size}


def _class_count(name: str, tensors: State, fixed: Mapping[str, int], path: Path) -> int:
    """The classes that weights are for: the side in which a network of 7 classes differs from one of 11."""
    few, more = (models.create(name, count, **fixed).state_dict() for count in (7, 11))
    for key, tensor in few.items():
        for axis, (one, other) in enumerate(zip(tensor.shape, more[key].shape, strict=True)):
            if one != other:
                matching = [each for given, each in tensors.items() if given == key or given.endswith(f".{key}")]
                if matching and matching[0].ndim > axis:
                    return int(matching[0].shape[axis])
    raise ModelError(f"{path}: holds no weights of {name}'s last layer, so it is not known how many classes it has.")


def _recorded_data(checkpoint: Path, training: Mapping[str, Any]) -> Path | None:
    """The folder that the training record names: as it stands, or relative to the checkpoint."""
    root = dict(training.get("data") or {}).get("root")
    if not root:
        return None
    places = (Path(root), checkpoint.parent / root)
    return next((place for place in places if place.exists()), None)


def _brief(training: Mapping[str, Any]) -> dict[str, Any]:
    """How it was trained and on what; the epochs one by one stay in the checkpoint."""
    data = {key: value for key, value in dict(training.get("data") or {}).items() if key in ("root", "n", "n_val")}
    kept = {key: training[key] for key in ("recipe", "kept_epoch") if key in training}
    return {**kept, "data": data} if data else kept
