"""Small image folders that a network learns in a second."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def write_colours(folder: Path, n: int, *, size: int = 12, seed: int = 0) -> Path:
    """Class folders red, green, blue of `n` noisy pictures each, their colour on a grey ground."""
    random = np.random.default_rng(seed)
    for channel, name in enumerate(("red", "green", "blue")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for at in range(n):
            pixels = random.integers(60, 130, (size, size, 3))
            pixels[..., channel] += 60
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{at:03d}.png")
    return folder


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts train (3 x 10) and val (3 x 4)."""
    root = tmp_path_factory.mktemp("colours")
    write_colours(root / "train", 10)
    write_colours(root / "val", 4, seed=1)
    return root


@pytest.fixture(scope="session")
def flat_colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 x 10 pictures without parts."""
    return write_colours(tmp_path_factory.mktemp("flat"), 10)
