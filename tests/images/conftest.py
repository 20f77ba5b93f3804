"""Small pictures made on the spot, photographs, and specs around a list of operations."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnnkit.images import decode
from cnnkit.spec import ClassificationOutput, ClassName, Decode, ModelInput, ModelSpec, Operation

Pixels = NDArray[np.uint8]


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(name="encoded", scope="session")
def encoded_fixture() -> Callable[..., bytes]:
    return encoded


@pytest.fixture(scope="session")
def slope() -> Pixels:
    """RGBA (37, 53, 4), every channel another slope: whatever is turned, swapped or multiplied shows."""
    down, right = np.mgrid[0:37, 0:53]
    channels = [right * 4, down * 6, (right + down) * 3, right * 5]
    return np.stack([channel % 256 for channel in channels], axis=-1).astype(np.uint8)


@pytest.fixture(scope="session")
def photos(shared: Path) -> list[Pixels]:
    return [decode(path.read_bytes()) for path in sorted(shared.glob("imagenet200/*/*"))[::25]]


def make_spec(
    *operations: Operation, size: tuple[int, int], channels: str = "RGB", decode: Decode | None = None, **fields: Any
) -> ModelSpec:
    return ModelSpec(
        input=ModelInput.model_validate({"size": size, "channels": channels, **fields}),
        decode=decode or Decode(),
        preprocess=operations,
        output=ClassificationOutput(),
        classes=(ClassName(name="only"),),
    )


@pytest.fixture(name="make_spec", scope="session")
def make_spec_fixture() -> Callable[..., ModelSpec]:
    return make_spec
