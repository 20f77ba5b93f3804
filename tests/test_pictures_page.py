"""docs/pictures.md: its code is the code that makes its pictures, and they are there."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "pictures.md").read_text()
LARGEST = 200_000


@pytest.mark.parametrize("name", re.findall(r"\]\((images/[^)]+)\)", PAGE))
def test_every_picture_is_there_and_small(name: str) -> None:
    path = DOCS / name
    assert path.stat().st_size < LARGEST
    with Image.open(path) as opened:
        assert opened.format == "PNG"
        assert np.asarray(opened).std() > 10, "it shows something"


def test_the_module_on_the_page_is_the_one_that_is_drawn() -> None:
    script = (DOCS / "images" / "make.py").read_text()
    module = script.split("# lines\n")[1].split("\n\n# end")[0].strip()
    assert f"```python\n{module}\n```" in PAGE


def test_the_filters_keep_the_lines_they_are_named_after() -> None:
    """On a cross the vertical filter answers most along the vertical bar, the horizontal one along the other."""
    from cnnkit import reference

    kernels = np.zeros((2, 3, 7, 7))
    kernels[0, :, :, 3] = 1
    kernels[1, :, 3, :] = 1
    cross = np.zeros((1, 3, 21, 21))
    cross[:, :, :, 10] = cross[:, :, 10, :] = 1
    vertical, horizontal = reference.convolution(cross, kernels, padding="same")[0]
    assert vertical[4, 10] == 21 > horizontal[4, 10]
    assert horizontal[10, 4] == 21 > vertical[10, 4]
