"""A picture with its words."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import drawing, files


@dataclass(frozen=True)
class Drawing:
    """A picture, RGB uint8 (H, W, 3), with a title, lines that say how to read it, and the same as plain values."""

    picture: NDArray[np.uint8]
    title: str
    lines: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    inset: NDArray[np.uint8] | None = None

    def save(self, path: Path) -> None:
        """Write a PNG with the words above the picture, whole or not at all."""
        files.write_bytes(path, drawing.png(drawing.captioned(self.picture, self.title, self.lines, inset=self.inset)))


def sides(height: int, width: int) -> str:
    return f"{height}x{width}"


def counted(n: int, one: str, *, plural: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else plural or one + 's'}"
