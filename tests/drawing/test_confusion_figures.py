"""The confusion grid and the map of many classes."""

import re
import xml.etree.ElementTree as ET
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cnnkit import drawing
from cnnkit.drawing._confusion import level

TEXTS = {"name": "it", "title": "t", "description": "d"}
SVG = "{http://www.w3.org/2000/svg}"


def picture(svg: str) -> np.ndarray:
    source = next(ET.fromstring(svg).iter(f"{SVG}image")).get("href")
    return np.array(Image.open(BytesIO(b64decode(source.split(",")[1]))))


def test_cells_show_counts_and_shares_and_empty_ones_nothing():
    root = ET.fromstring(drawing.confusion_grid([[3, 1], [0, 0]], [190, 0], names=["a", "b"], **TEXTS))
    cells = [each for each in root.iter(f"{SVG}g") if each.get("class").startswith("cell")]
    assert [each.get("class") for each in cells] == ["cell right level-1", "cell wrong level-1"]
    texts = {each.get("class"): each.text for each in cells[1].iter(f"{SVG}text")}
    assert texts == {"count": "1", "share": "1"}
    assert cells[0].find(f"{SVG}title").text == "a predicted as a: 3 (1.6 %)"


def test_levels_rise_with_the_share_and_every_confusion_is_seen():
    levels = [level(share) for share in (1e-6, 0.03, 0.12, 0.26, 0.5, 0.8, 1.0)]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (1, 6)


def test_names_and_counts_must_agree():
    with pytest.raises(ValueError, match=re.escape("3 names need counts (3, 3), got (2, 2)")):
        drawing.confusion_grid([[1, 0], [0, 1]], [1, 1], names=["a", "b", "c"], **TEXTS)


def test_one_confusion_among_a_thousand_classes_is_on_the_map():
    counts = np.diag(np.full(1000, 50))
    counts[700, 20] = 1
    alpha = picture(drawing.confusion_map(counts, counts.sum(axis=1), **TEXTS))[..., 3]
    side = len(alpha)
    off = alpha * (1 - np.eye(side))
    assert np.argwhere(off > 0).tolist() == [[700 * side // 1000, 20 * side // 1000]]


def test_the_map_of_few_classes_has_a_pixel_a_cell():
    alpha = picture(drawing.confusion_map([[1, 0], [2, 0]], [1, 2], **TEXTS))[..., 3]
    assert (alpha > 0).tolist() == [[True, False], [True, False]]
