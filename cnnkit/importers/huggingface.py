"""Hugging Face's preprocessor_config.json and config.json."""

from collections.abc import Mapping
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.importers._chain import TO_UNIT, Chain, filter_of, floats
from cnnkit.importers._found import Found
from cnnkit.spec import ClassName

__all__ = ["from_huggingface"]

CROP = "Hugging Face cuts the centre from (side - size) // 2, the file from the nearest whole: at most one pixel apart."
SMALL = 384  # ConvNeXT: from here on the picture is squashed, below it the centre is cut out


def from_huggingface(
    preprocessor: Mapping[str, Any] | None,
    config: Mapping[str, Any] | None = None,
    *,
    origin: str = "preprocessor_config.json",
) -> Found:
    """Read how an image processor prepares images, and the class names of `id2label`.

    Raises ModelError for a size that a spec cannot say.
    """
    classes = _classes(config or {})
    activation = "sigmoid" if (config or {}).get("problem_type") == "multi_label_classification" else None
    if preprocessor is None:
        return Found(origin=origin, classes=classes, activation=activation)  # type: ignore[arg-type]
    chain = Chain(origin)
    if preprocessor.get("do_resize", True):
        _resize(preprocessor, chain)
    if preprocessor.get("do_center_crop"):
        _crop(preprocessor, chain)
    if preprocessor.get("do_rescale", True):
        chain.rescale(float(preprocessor.get("rescale_factor", TO_UNIT)))
    if preprocessor.get("do_normalize", True):
        _normalize(preprocessor, chain)
    found = chain.found()
    return Found(
        origin=origin,
        channels=found.channels,
        size=found.size,
        preprocess=found.preprocess,
        classes=classes,
        activation=activation,  # type: ignore[arg-type]
        exact=found.exact,
        notes=found.notes,
    )


def _resize(facts: Mapping[str, Any], chain: Chain) -> None:
    size = facts.get("size", 224)
    filter_name = filter_of(facts.get("resample", 2))
    kind = str(facts.get("image_processor_type") or facts.get("feature_extractor_type") or "")
    if isinstance(size, Mapping) and "shortest_edge" in size and "longest_edge" not in size:
        short = int(size["shortest_edge"])
        if kind.startswith("ConvNext"):
            _convnext(short, float(facts.get("crop_pct") or 0.875), filter_name, chain)
        else:
            chain.resize(short, filter_name, "pillow")
    elif isinstance(size, Mapping) and {"height", "width"} <= size.keys():
        chain.resize((int(size["height"]), int(size["width"])), filter_name, "pillow")
    elif isinstance(size, int):
        chain.resize(size if facts.get("do_center_crop") else (size, size), filter_name, "pillow")
    else:
        raise chain.refusal(f"size {size}", "is more than a spec can say")


def _convnext(short: int, share: float, filter_name: str, chain: Chain) -> None:
    if short >= SMALL:
        chain.resize((short, short), filter_name, "pillow")
        return
    chain.resize(int(short / share), filter_name, "pillow")
    chain.close(CROP)
    chain.center_crop((short, short))


def _crop(facts: Mapping[str, Any], chain: Chain) -> None:
    size = facts.get("crop_size", 224)
    sides = (size["height"], size["width"]) if isinstance(size, Mapping) else (size, size)
    chain.close(CROP)
    chain.center_crop((int(sides[0]), int(sides[1])))


def _normalize(facts: Mapping[str, Any], chain: Chain) -> None:
    if "image_mean" not in facts or "image_std" not in facts:
        raise ModelError(f"{chain.origin}: do_normalize is on, and image_mean or image_std is missing.")
    chain.normalize(floats(facts["image_mean"]), floats(facts["image_std"]))


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
