"""Operations made definite for one picture's size: numbers of pixels, no rules left to apply."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cnnkit.spec import CenterCrop, Operation, Pad, Resize, ToGray

__all__ = ["Border", "Gray", "Plan", "Scale", "Step", "Window", "plan"]

Pixels = NDArray[np.uint8]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gray:
    """RGB to one channel."""


@dataclass(frozen=True, slots=True)
class Window:
    """Keep `size` from (top, left) on; all of it lies inside the picture."""

    top: int
    left: int
    size: Size


@dataclass(frozen=True, slots=True)
class Scale:
    """Change the size to `size`, of which only `keep` is wanted."""

    size: Size
    keep: Window
    filter: str
    implementation: str


@dataclass(frozen=True, slots=True)
class Border:
    """Add pixels outside: `top`, `left` and as many below and right as `size` asks for."""

    top: int
    left: int
    size: Size
    mode: str
    fill: int


Step = Gray | Scale | Window | Border


@dataclass(slots=True)
class Plan:
    """The steps for a picture of `source` pixels, and where its points go: `input = source * scale + offset`."""

    source: Size
    size: Size
    steps: list[Step]
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)

    @property
    def first_scale(self) -> Scale | None:
        """The resize that comes before any cut or border; a picture decoded smaller can stand before it."""
        steps = [step for step in self.steps if not isinstance(step, Gray)]
        return steps[0] if steps and isinstance(steps[0], Scale) else None

    def resize(self, size: Size, *, filter: str, implementation: str) -> None:
        if size == self.size:
            return
        self.steps.append(Scale(size, Window(0, 0, size), filter, implementation))
        # from whole sizes, not from the nominal ratio: the picture's edges go to the edges
        ratio = size[0] / self.size[0], size[1] / self.size[1]
        self.scale = self.scale[0] * ratio[0], self.scale[1] * ratio[1]
        self.offset = self.offset[0] * ratio[0], self.offset[1] * ratio[1]
        self.size = size

    def crop(self, top: int, left: int, size: Size) -> None:
        if size == self.size:
            return
        window = Window(top, left, size)
        if self.steps and isinstance(self.steps[-1], Scale):
            last = self.steps[-1]
            inner = Window(last.keep.top + top, last.keep.left + left, size)
            self.steps[-1] = replace(last, keep=inner)
        else:
            self.steps.append(window)
        self._move(-top, -left, size)

    def surround(self, top: int, left: int, size: Size, *, mode: str, fill: int) -> None:
        if size == self.size:
            return
        self.steps.append(Border(top, left, size, mode, fill))
        self._move(top, left, size)

    def _move(self, down: int, right: int, size: Size) -> None:
        self.offset = self.offset[0] + down, self.offset[1] + right
        self.size = size


def plan(operations: tuple[Operation, ...], source: Size) -> Plan:
    """Work out every size and offset for a picture of `source` (height, width) pixels."""
    made = Plan(source, source, [])
    for operation in operations:
        match operation:
            case ToGray():
                made.steps.append(Gray())
            case Resize(mode="letterbox"):
                _letterbox(made, operation)
            case Resize():
                made.resize(_resized(operation, made.size), **_method(operation))
            case CenterCrop():
                _center_crop(made, operation.size)
            case Pad():
                _pad(made, operation)
    return made


def _method(resize: Resize) -> dict[str, str]:
    return {"filter": resize.filter, "implementation": resize.implementation}


def _resized(resize: Resize, size: Size) -> Size:
    if not isinstance(resize.size, int):
        return resize.size
    short, long = sorted(size)
    other = max(1, int(resize.size * long / short))  # torchvision: multiplied first, then rounded down
    return (resize.size, other) if size[0] <= size[1] else (other, resize.size)


def _letterbox(made: Plan, resize: Resize) -> None:
    """Fit the picture inside, centred as Ultralytics does or at the top left as YOLOX does; the rest is filled."""
    assert not isinstance(resize.size, int)
    target, size = resize.size, made.size
    ratio = min(target[0] / size[0], target[1] / size[1])
    if not resize.upscale:
        ratio = min(ratio, 1.0)
    # Ultralytics rounds to nearest, YOLOX down
    whole = round if resize.align == "center" else int
    fitted = max(1, whole(size[0] * ratio)), max(1, whole(size[1] * ratio))
    made.resize(fitted, **_method(resize))
    top, left = ((t - f) // 2 if resize.align == "center" else 0 for t, f in zip(target, fitted, strict=True))
    made.surround(top, left, target, mode="constant", fill=resize.fill)


def _center_crop(made: Plan, size: Size) -> None:
    """torchvision's: a smaller picture gets zeros first, the odd one right and below; halves round to even."""
    height, width = (max(made_side, side) for made_side, side in zip(made.size, size, strict=True))
    top, left = (height - made.size[0]) // 2, (width - made.size[1]) // 2
    made.surround(top, left, (height, width), mode="constant", fill=0)
    made.crop(round((height - size[0]) / 2), round((width - size[1]) / 2), size)


def _pad(made: Plan, pad: Pad) -> None:
    left, top, right, bottom = pad.padding
    size = made.size[0] + top + bottom, made.size[1] + left + right
    made.surround(top, left, size, mode=pad.mode, fill=pad.fill)
