"""timm: the transforms of its evaluation, and the `pretrained_cfg` that its models and their config.json carry."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.importers._chain import TO_UNIT, Chain, filter_of, floats, pair
from cnnkit.importers._found import Found
from cnnkit.spec import ClassName

__all__ = ["OPERATIONS", "from_timm"]


def _to_tensor_scaled(_op: Any, chain: Chain) -> None:
    chain.is_tensor = True
    chain.rescale(TO_UNIT)


def _to_tensor_unscaled(_op: Any, chain: Chain) -> None:
    chain.is_tensor = True


def _keep_ratio(op: Any, chain: Chain) -> None:
    """With longest 0 this is the short side's resize, with the long side rounded to nearest."""
    target = pair(op.size)
    plain = not getattr(op, "longest", 0.0) and not any(
        getattr(op, name, 0.0) for name in ("random_scale_prob", "random_aspect_prob")
    )
    if not plain or target[0] != target[1]:
        raise chain.refusal(
            "ResizeKeepRatio", f"to {target} with longest={getattr(op, 'longest', 0.0)} is more than a spec can say"
        )
    chain.close("ResizeKeepRatio rounds the long side to nearest, the file rounds it down: at most one pixel.")
    chain.resize(target[0], filter_of(op.interpolation), "pillow")


def _crop_or_pad(op: Any, chain: Chain) -> None:
    if floats(getattr(op, "fill", 0)) != (0.0,):
        raise chain.refusal("CenterCropOrPad", f"with fill {op.fill} pads with another level than 0")
    chain.center_crop(pair(op.size))


OPERATIONS: dict[str, Callable[[Any, Chain], None]] = {
    "CenterCropOrPad": _crop_or_pad,
    "MaybePILToTensor": _to_tensor_unscaled,
    "MaybeToTensor": _to_tensor_scaled,
    "ResizeKeepRatio": _keep_ratio,
    "ToNumpy": _to_tensor_unscaled,
    "ToTensor": _to_tensor_unscaled,
}


def from_timm(config: Mapping[str, Any], *, origin: str = "timm's configuration") -> Found:
    """Read a `pretrained_cfg`, or a config.json that holds one, as timm's own evaluation would prepare images.

    The short side becomes floor(size / crop_pct), the centre is cut out (crop_mode center), or both sides become
    that and the centre is cut out (squash).

    Raises ModelError for a crop mode that a spec cannot say, or without an input size.
    """
    facts = dict(config.get("pretrained_cfg") or config)
    if "input_size" not in facts:
        raise ModelError(f"{origin}: there is no input_size in it.")
    channels, height, width = (int(side) for side in facts["input_size"])
    chain = Chain(origin)
    if channels == 1:
        chain.to_gray()
    _geometry(facts, (height, width), chain)
    chain.rescale(TO_UNIT)
    chain.normalize(floats(facts["mean"]), floats(facts["std"]))
    found = chain.found()
    return Found(
        origin=origin,
        channels=found.channels,
        size=(height, width),
        preprocess=found.preprocess,
        classes=_classes(config, facts),
        exact=found.exact,
        notes=found.notes,
    )


def _geometry(facts: Mapping[str, Any], size: tuple[int, int], chain: Chain) -> None:
    share = float(facts.get("crop_pct") or 0.875)
    target = math.floor(size[0] / share), math.floor(size[1] / share)
    filter_name = filter_of(facts.get("interpolation") or "bilinear")
    mode = facts.get("crop_mode") or "center"
    if mode == "squash":
        chain.resize(target, filter_name, "pillow")
    elif mode == "center" and target[0] == target[1]:
        chain.resize(target[0], filter_name, "pillow")
    else:
        raise chain.refusal(f"crop_mode {mode!r}", f"to {list(size)} cannot be said in a spec")
    chain.center_crop(size)


def _classes(config: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[ClassName, ...] | None:
    names = config.get("label_names") or facts.get("label_names")
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        return None
    words = config.get("label_descriptions") or facts.get("label_descriptions") or {}
    return tuple(_class(str(name), words) for name in names)


def _class(name: str, words: Any) -> ClassName:
    said = words.get(name) if isinstance(words, Mapping) else None
    return ClassName(name=str(said), aliases=(name,)) if said else ClassName(name=name)
