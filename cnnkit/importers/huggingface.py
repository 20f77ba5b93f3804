"""Hugging Face's preprocessor_config.json and config.json."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cnnkit.importers._chain import TO_UNIT, Chain, filter_of, floats
from cnnkit.importers._found import Found
from cnnkit.importers._processors import PROCESSORS, ask_for, completed, kind_of
from cnnkit.spec import ClassName

__all__ = ["from_huggingface"]

CROP = "Hugging Face cuts the centre from (side - size) // 2, the file from the nearest whole: at most one pixel apart."
SMALL = 384  # ConvNeXT: from here on the picture is squashed, below it the centre is cut out
LEVIT = 256 / 224  # LeViT: the short side becomes this much more than its size
SIGNED = 1 / 127.5  # the one factor with which `rescale_offset` means the same in all versions: x / 127.5 - 1


def from_huggingface(
    preprocessor: Mapping[str, Any] | None,
    config: Mapping[str, Any] | None = None,
    *,
    origin: str = "preprocessor_config.json",
) -> Found:
    """Read how an image processor prepares images, and the class names of `id2label`.

    Raises ModelError for a processor, a field or a size that is not known or that a spec cannot say.
    """
    classes = _classes(config or {})
    activation = "sigmoid" if (config or {}).get("problem_type") == "multi_label_classification" else None
    if preprocessor is None:
        return Found(origin=origin, classes=classes, activation=activation)  # type: ignore[arg-type]
    chain = Chain(origin)
    kind = kind_of(preprocessor, chain)
    facts = completed(preprocessor, kind, chain)
    ask_for(facts, chain)
    if facts["do_resize"]:
        _resize(facts, kind, chain)
    if facts.get("do_center_crop"):
        _crop(facts, kind, chain)
    _values(facts, chain)
    flipped = bool(facts.get("do_flip_channel_order"))
    return replace(
        chain.found(),
        channels="BGR" if flipped else "RGB",
        classes=classes,
        activation=activation,  # type: ignore[arg-type]
    )


def _resize(facts: Mapping[str, Any], kind: str, chain: Chain) -> None:
    filter_name = filter_of(facts["resample"])
    size = _size(facts, kind, chain)
    if kind == "ConvNext":
        _convnext(size, float(facts.get("crop_pct", 224 / 256)), filter_name, chain)
    elif kind == "PoolFormer" and "crop_pct" in facts:
        chain.resize(_enlarged(size, float(facts["crop_pct"])), filter_name, "pillow")
    elif kind == "Levit" and isinstance(size, int):
        chain.resize(int(LEVIT * size), filter_name, "pillow")
    else:
        chain.resize(size, filter_name, "pillow")


def _size(facts: Mapping[str, Any], kind: str, chain: Chain) -> int | tuple[int, int]:
    """The short side, or [height, width]. What one number means is up to the processor."""
    size = facts["size"]
    if isinstance(size, Mapping) and size.keys() == {"shortest_edge"}:
        return int(size["shortest_edge"])
    if isinstance(size, Mapping) and size.keys() == {"height", "width"}:
        return int(size["height"]), int(size["width"])
    if isinstance(size, int):
        square = PROCESSORS[kind].square if kind else not facts.get("do_center_crop")
        return (size, size) if square else size
    raise chain.refusal(f"size {size}", "is more than a spec can say")


def _enlarged(size: int | tuple[int, int], share: float) -> int | tuple[int, int]:
    """PoolFormer: what is cut out is this share of it; equal sides are the short side."""
    if isinstance(size, tuple) and size[0] != size[1]:
        return int(size[0] / share), int(size[1] / share)
    return int((size if isinstance(size, int) else size[0]) / share)


def _convnext(size: int | tuple[int, int], share: float, filter_name: str, chain: Chain) -> None:
    if not isinstance(size, int):
        raise chain.refusal(f"size {list(size)}", "is none of ConvNeXT, which takes one shortest_edge")
    if size >= SMALL:
        chain.resize((size, size), filter_name, "pillow")
        return
    chain.resize(int(size / share), filter_name, "pillow")
    chain.close(CROP)
    chain.center_crop((size, size))


def _crop(facts: Mapping[str, Any], kind: str, chain: Chain) -> None:
    size = facts["crop_size"]
    sides = (size["height"], size["width"]) if isinstance(size, Mapping) else (size, size)
    wanted = int(sides[0]), int(sides[1])
    if kind == "ConvNext":  # it cuts by its size alone
        if chain.found().size != wanted:
            raise chain.refusal(f"do_center_crop to {list(wanted)}", "is not what ConvNeXT does with its size")
        return
    chain.close(CROP)
    chain.center_crop(wanted)


def _values(facts: Mapping[str, Any], chain: Chain) -> None:
    if facts["do_rescale"]:
        factor = float(facts.get("rescale_factor", TO_UNIT))
        if facts.get("rescale_offset") and abs(factor / SIGNED - 1) > 1e-6:
            raise chain.refusal(
                f"rescale_offset with rescale_factor {factor}", "has had two meanings; with 1/127.5 they are one"
            )
        chain.rescale(factor, -1.0 if facts.get("rescale_offset") else 0.0)
    again = bool(facts.get("include_top"))  # EfficientNet: divided by the standard deviation once more
    if again and "image_std" not in facts:
        raise chain.refusal("include_top is on, and image_std", "is missing")
    if facts["do_normalize"]:
        if facts.get("do_flip_channel_order"):
            raise chain.refusal("do_flip_channel_order with do_normalize", "leaves the order of image_mean open")
        std = floats(facts["image_std"])
        chain.normalize(floats(facts["image_mean"]), tuple(each * each for each in std) if again else std)
    elif again:
        std = floats(facts["image_std"])
        chain.normalize((0.0,) * len(std), std)


def _classes(config: Mapping[str, Any]) -> tuple[ClassName, ...] | None:
    names = config.get("id2label")
    if not isinstance(names, Mapping) or not names:
        return None
    by_index = {int(at): str(name) for at, name in names.items()}
    if sorted(by_index) != list(range(len(by_index))):
        return None
    return tuple(_class(by_index[at]) for at in range(len(by_index)))


def _class(words: str) -> ClassName:
    """`tench, Tinca tinca` goes by its first word too."""
    first = words.partition(",")[0].strip()
    return ClassName(name=words, aliases=(first,) if first != words else ())
