"""torchvision's transforms (v1 and v2) and the presets of its weights, read by class name and fields."""

from collections.abc import Callable
from typing import Any

from cnnkit.importers._chain import TO_UNIT, Chain, filter_of, floats, pair

__all__ = ["OPERATIONS"]

NEARLY = "torch's antialiased resize of tensors is within one level of Pillow's, which the file uses."


def _resize(op: Any, chain: Chain) -> None:
    if getattr(op, "max_size", None) is not None or op.size is None:
        raise chain.refusal("Resize with max_size", "limits the long side too")
    size = op.size if isinstance(op.size, int) else list(op.size)
    wanted = size if isinstance(size, int) else int(size[0]) if len(size) == 1 else pair(size)
    _resize_with(wanted, op.interpolation, getattr(op, "antialias", True), chain)


def _resize_with(size: int | tuple[int, int], interpolation: Any, antialias: Any, chain: Chain) -> None:
    filter_name = filter_of(interpolation)
    if not chain.is_tensor:
        chain.resize(size, filter_name, "pillow")
    elif antialias and filter_name in ("bilinear", "bicubic"):
        chain.close(NEARLY)
        chain.resize(size, filter_name, "pillow")
    else:
        chain.resize(size, filter_name, "torch")


def _center_crop(op: Any, chain: Chain) -> None:
    chain.center_crop(pair(op.size))


def _pad(op: Any, chain: Chain) -> None:
    given = [op.padding] if isinstance(op.padding, int) else list(op.padding)
    sides = {1: given * 4, 2: given * 2, 4: given}.get(len(given))
    same = op.fill is None or isinstance(op.fill, int | float)
    fills = {op.fill or 0} if same else set() if isinstance(op.fill, dict) else set(floats(op.fill))
    if sides is None or len(fills) != 1:
        raise chain.refusal("Pad", f"with padding {op.padding} and fill {op.fill} is more than a spec can say")
    mode = str(getattr(op.padding_mode, "value", op.padding_mode))
    left, top, right, bottom = (int(side) for side in sides)
    chain.pad((left, top, right, bottom), fills.pop(), mode)


def _grayscale(op: Any, chain: Chain) -> None:
    if op.num_output_channels != 1:
        raise chain.refusal(
            f"Grayscale({op.num_output_channels})", "gives grey in three channels, a spec gives it in one"
        )
    chain.to_gray()


def _to_tensor(_op: Any, chain: Chain) -> None:
    chain.is_tensor = True
    chain.rescale(TO_UNIT)


def _to_image(_op: Any, chain: Chain) -> None:
    chain.is_tensor = True


def _to_pil(_op: Any, chain: Chain) -> None:
    chain.is_tensor = False


def _convert_dtype(op: Any, chain: Chain) -> None:
    _to_dtype_scaled(op.dtype, chain, scale=True)


def _to_dtype(op: Any, chain: Chain) -> None:
    dtype = op.dtype
    if isinstance(dtype, dict):
        of_images = [value for key, value in dtype.items() if getattr(key, "__name__", key) in ("Image", "others")]
        dtype = of_images[0] if of_images else None
    _to_dtype_scaled(dtype, chain, scale=bool(op.scale))


def _to_dtype_scaled(dtype: Any, chain: Chain, *, scale: bool) -> None:
    name = str(dtype).removeprefix("torch.")
    if name == "float32":
        if scale and not chain.is_float:
            chain.rescale(TO_UNIT)
        chain.is_float = True
    elif name not in ("uint8", "None"):
        raise chain.refusal(
            f"the type {name}", "is not float32, which the preprocessing makes (--precision fp16 is for the file)"
        )


def _normalize(op: Any, chain: Chain) -> None:
    chain.normalize(floats(op.mean), floats(op.std))


def _image_classification(op: Any, chain: Chain) -> None:
    """The preset that comes with torchvision's weights; it resizes PIL images, then makes a tensor."""
    sizes = [side if isinstance(side, int) else list(side) for side in (op.resize_size, op.crop_size)]
    resize = sizes[0] if isinstance(sizes[0], int) else sizes[0][0] if len(sizes[0]) == 1 else pair(sizes[0])
    _resize_with(resize, op.interpolation, True, chain)
    chain.center_crop(pair(sizes[1]))
    chain.rescale(TO_UNIT)
    chain.normalize(floats(op.mean), floats(op.std))


def _nothing(_op: Any, _chain: Chain) -> None:
    """An operation that leaves an RGB picture as it is."""


OPERATIONS: dict[str, Callable[[Any, Chain], None]] = {
    "CenterCrop": _center_crop,
    "ConvertDtype": _convert_dtype,
    "ConvertImageDtype": _convert_dtype,
    "Grayscale": _grayscale,
    "Identity": _nothing,
    "ImageClassification": _image_classification,
    "Normalize": _normalize,
    "PILToTensor": _to_image,
    "Pad": _pad,
    "RGB": _nothing,
    "Resize": _resize,
    "ToDtype": _to_dtype,
    "ToImage": _to_image,
    "ToPILImage": _to_pil,
    "ToPureTensor": _nothing,
    "ToTensor": _to_tensor,
}
