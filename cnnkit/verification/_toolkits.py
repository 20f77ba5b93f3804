"""`timm:NAME` and `torchvision:NAME`, where the user has them: module, preprocessing and class names together."""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnkit.errors import MachineError, ModelError, UsageError
from cnnkit.importers import Found, from_timm, from_transform
from cnnkit.spec import ClassName
from cnnkit.verification._source import Source
from cnnkit.verification._weights import State, load_weights

IMAGENET = 1000


def open_timm(name: str, *, weights: tuple[Path, State] | None) -> Source:
    """A model of timm: with its own pretrained weights (which timm fetches), or with those of a file."""
    timm = _import("timm", f"timm:{name}")
    try:
        module = timm.create_model(name, pretrained=weights is None)
    except Exception as error:  # timm names unknown models and failed downloads itself
        raise ModelError(f"timm:{name}: timm cannot make it: {error}") from error
    _fill(module, weights, f"timm:{name}")
    config = dict(getattr(module, "pretrained_cfg", None) or {})
    found = from_timm(config, origin=f"timm's pretrained_cfg of {name}")
    if found.classes is None and weights is None and config.get("num_classes") == IMAGENET:
        found = replace(found, classes=_imagenet_of(timm))
    facts = {"toolkit": "timm", "version": getattr(timm, "__version__", "unknown")}
    return Source(module.eval(), name.replace("/", "-"), f"timm:{name}", found=found, facts=facts)


def open_torchvision(name: str, *, weights: tuple[Path, State] | None) -> Source:
    """A classifier of torchvision with its best weights (which torchvision fetches), or with those of a file."""
    torchvision = _import("torchvision", f"torchvision:{name}")
    try:
        best = torchvision.models.get_model_weights(name).DEFAULT
        module = torchvision.models.get_model(name, weights=best if weights is None else None)
    except Exception as error:  # torchvision names unknown models and failed downloads itself
        raise ModelError(f"torchvision:{name}: torchvision cannot make it: {error}") from error
    _fill(module, weights, f"torchvision:{name}")
    found = from_transform(best.transforms(), origin=f"the transforms of {best}")
    if weights is None:
        found = _with_names(found, best.meta.get("categories"))
    facts = {"toolkit": "torchvision", "version": getattr(torchvision, "__version__", "unknown")}
    return Source(module.eval(), name, f"torchvision:{name}", found=found, facts=facts)


def _with_names(found: Found, names: Sequence[str] | None) -> Found:
    return replace(found, classes=tuple(ClassName(name=name) for name in names)) if names else found


def _fill(module: Any, weights: tuple[Path, State] | None, what: str) -> None:
    if weights is not None:
        load_weights(module, weights[1], path=weights[0], what=what)


def _imagenet_of(timm: Any) -> tuple[ClassName, ...] | None:
    """ImageNet's names and WordNet ids as timm has them."""
    info = getattr(timm.data, "ImageNetInfo", None)
    if info is None:
        return None
    names = info()
    return tuple(
        ClassName(name=names.index_to_description(at), aliases=(names.index_to_label_name(at),))
        for at in range(IMAGENET)
    )


def _import(package: str, text: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        reason = f"{package} cannot be imported ({error})"
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            raise UsageError(f"{text}: {package} is not installed here. Install it: pip install {package}.") from error
        raise MachineError(f"{text}: {reason}.") from error
