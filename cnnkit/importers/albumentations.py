"""albumentations' transforms, read by class name and fields."""

from collections.abc import Callable
from typing import Any

from cnnkit.importers._chain import CV2_FILTERS, Chain, floats

__all__ = ["OPERATIONS"]

CROP = (
    "albumentations' CenterCrop starts at (side - size) // 2, the file's at the nearest whole: at most one pixel apart."
)
SIDES = "SmallestMaxSize rounds the long side to nearest, the file rounds it down: at most one pixel."


def _filter(op: Any, chain: Chain) -> str:
    name = CV2_FILTERS.get(op.interpolation)
    if name is None:
        raise chain.refusal(f"interpolation {op.interpolation}", "is none that a spec knows")
    return name


def _resize(op: Any, chain: Chain) -> None:
    chain.resize((int(op.height), int(op.width)), _filter(op, chain), "opencv")


def _smallest_side(op: Any, chain: Chain) -> None:
    if not isinstance(op.max_size, int):
        raise chain.refusal("SmallestMaxSize", f"with max_size {op.max_size} chooses at random")
    chain.close(SIDES)
    chain.resize(op.max_size, _filter(op, chain), "opencv")


def _center_crop(op: Any, chain: Chain) -> None:
    chain.close(CROP)
    chain.center_crop((int(op.height), int(op.width)))


def _normalize(op: Any, chain: Chain) -> None:
    if getattr(op, "normalization", "standard") != "standard":
        raise chain.refusal(f"Normalize(normalization={op.normalization!r})", "depends on the picture")
    chain.rescale(1.0 / float(op.max_pixel_value))
    chain.normalize(floats(op.mean), floats(op.std))


def _to_float(op: Any, chain: Chain) -> None:
    chain.rescale(1.0 / float(op.max_value or 255))


def _to_tensor(_op: Any, chain: Chain) -> None:
    chain.is_tensor = True


OPERATIONS: dict[str, Callable[[Any, Chain], None]] = {
    "CenterCrop": _center_crop,
    "Normalize": _normalize,
    "Resize": _resize,
    "SmallestMaxSize": _smallest_side,
    "ToFloat": _to_float,
    "ToTensorV2": _to_tensor,
}
