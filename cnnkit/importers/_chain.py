"""A chain of another toolkit's operations, read one by one into those of a spec."""

import math
from typing import Any

from pydantic import ValidationError

from cnnkit.errors import ModelError
from cnnkit.importers._found import Found
from cnnkit.spec import CenterCrop, Normalize, Operation, Pad, Rescale, Resize, ToGray, spec_problems

PIL_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
CV2_FILTERS = {0: "nearest", 1: "linear", 2: "cubic", 3: "area", 4: "lanczos4"}
TO_UNIT = 1 / 255

MEND = "Describe the preprocessing with --preset and its flags, or with --spec FILE, instead."


class Chain:
    """Collects geometry and values; refuses, by name, what a spec cannot say."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._gray = False
        self._geometry: list[Operation] = []
        self._values: list[Operation] = []
        self._size: tuple[int, int] | None = None
        self._notes: list[str] = []
        self._exact = True
        self.is_tensor = False  # from here on a tensor, no PIL image
        self.is_float = False

    def refusal(self, what: str, reason: str) -> ModelError:
        """The error that names an operation, says why it cannot be taken over, and what to do instead."""
        return ModelError(f"{self.origin}: {what} {reason}. {MEND}")

    def close(self, note: str) -> None:
        """Go on with what is not the same to the pixel, and say so."""
        self._exact = False
        if note not in self._notes:
            self._notes.append(note)

    def resize(self, size: int | tuple[int, int], filter_name: str, implementation: str) -> None:
        """One number: the short side; two: both sides, [height, width]."""
        self._before_normalize("a resize")
        mode = "shortest" if isinstance(size, int) else "exact"
        fields: dict[str, Any] = {"size": size, "mode": mode, "filter": filter_name, "implementation": implementation}
        try:
            operation = Resize(**fields)
        except ValidationError as error:
            raise self.refusal("the resize", f"cannot be said: {spec_problems(error)}") from error
        if self.is_float:
            self.close("It resizes float values; the file resizes whole levels, at most one level beside it.")
        self._geometry.append(operation)
        self._size = None if isinstance(size, int) else size

    def center_crop(self, size: tuple[int, int]) -> None:
        self._before_normalize("a centre crop")
        self._geometry.append(CenterCrop(size=size))
        self._size = size

    def pad(self, padding: tuple[int, int, int, int], fill: float, mode: str) -> None:
        """`fill` in the picture's values at this place: levels 0 .. 255, or floats once it is one of floats."""
        self._before_normalize("a padding")
        operation: Any = {"padding": padding, "fill": self._level(fill), "mode": mode}
        try:
            self._geometry.append(Pad(**operation))
        except ValidationError as error:
            raise self.refusal("Pad", f"cannot be said: {spec_problems(error)}") from error
        if self._size is not None:
            left, top, right, bottom = padding
            self._size = self._size[0] + top + bottom, self._size[1] + left + right

    def _level(self, fill: float) -> int:
        """The whole level that becomes `fill`; refused where there is none."""
        level = float(fill)
        for operation in reversed(self._values):
            assert isinstance(operation, Rescale)  # none stands before a Normalize
            level = (level - operation.offset) / operation.scale
        if not math.isfinite(level) or abs(level - round(level)) > 1e-3:
            raise self.refusal(
                f"Pad with fill {fill:g}", f"is level {level:g} of 0 to 255, and a spec pads with a whole one"
            )
        return round(level)

    def to_gray(self) -> None:
        self._before_normalize("the conversion to grey")
        if self._geometry:
            self.close("It turns grey after the resize; the file turns grey first, at most one level beside it.")
        self._gray = True

    def rescale(self, scale: float, offset: float = 0.0) -> None:
        try:
            self._values.append(Rescale(scale=scale, offset=offset))
        except ValidationError as error:
            raise self.refusal("the rescale", f"cannot be said: {spec_problems(error)}") from error
        self.is_float = True

    def normalize(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        try:
            self._values.append(Normalize(mean=mean, std=std))
        except ValidationError as error:
            raise self.refusal("Normalize", f"cannot be said: {spec_problems(error)}") from error
        self.is_float = True

    def found(self) -> Found:
        operations = (*([ToGray()] if self._gray else []), *self._geometry, *self._values)
        return Found(
            origin=self.origin,
            channels="GRAY" if self._gray else "RGB",
            size=self._size,
            preprocess=operations,
            exact=self._exact,
            notes=tuple(self._notes),
        )

    def _before_normalize(self, what: str) -> None:
        if any(isinstance(operation, Normalize) for operation in self._values):
            raise self.refusal(what, "stands after Normalize, where a spec has no place for it")


def pair(value: Any) -> tuple[int, int]:
    """[height, width] of a size that is one number, one in a list, or two."""
    sides = [value] if isinstance(value, int) else list(value)
    return (int(sides[0]), int(sides[0])) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def floats(value: Any) -> tuple[float, ...]:
    """One number, a list, an array or a tensor."""
    listed = value.tolist() if hasattr(value, "tolist") else value
    return (float(listed),) if isinstance(listed, int | float) else tuple(float(each) for each in listed)


def filter_of(interpolation: Any) -> str:
    """`bilinear` of a torchvision or Pillow enum, of one of Pillow's numbers, or of its name."""
    value = getattr(interpolation, "value", interpolation)
    return PIL_FILTERS.get(value, str(value)) if isinstance(value, int) else str(value).lower()
