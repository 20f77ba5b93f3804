"""Scenes of digits: the same bytes from the same seed, boxes tight around the ink, no digit in two parts."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from cnnkit import data
from cnnkit.data import _convert, _digit_scenes
from cnnkit.data._digit_scenes import MOST_COVERED, MOST_DIGITS, SIDES, _shared, draw_scene, scene_digits
from cnnkit.data._digits import HOLDOUT
from cnnkit.errors import DataError

FEW = {"train": 5, "val": 2, "test": 3}


@pytest.fixture
def few(monkeypatch):
    for module in (_digit_scenes, _convert):
        monkeypatch.setattr(module, "N_SCENES", FEW)


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]


def test_a_seed_makes_the_same_bytes(few, tmp_path):
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        assert data.write_digit_scenes(tmp_path / name, seed=seed) == 10
    assert digest(tmp_path / "one") == digest(tmp_path / "again")
    pictures = [dict(digest(tmp_path / name / "images")) for name in ("one", "other")]
    assert pictures[0].keys() == pictures[1].keys()
    assert not set(pictures[0].values()) & set(pictures[1].values())


def test_no_digit_is_in_two_parts():
    digits = scene_digits()
    inks = {part: {ink.tobytes() for ink in each.ink} for part, each in digits.items()}
    assert {part: len(each.labels) for part, each in digits.items()} == {"train": 1048, "val": 150, "test": 599}
    assert not inks["train"] & inks["val"]
    assert not inks["train"] & inks["test"]
    from sklearn.datasets import load_digits

    assert digits["test"].labels.tolist() == load_digits().target[::HOLDOUT].tolist()
    for each in digits.values():
        assert set(each.labels.tolist()) == set(range(10))


def test_scenes_are_as_they_are_described():
    digits = scene_digits()["val"]
    counts, heights, sides = set(), [], set()
    for at in range(120):
        scene = draw_scene(digits, np.random.default_rng((0, at)))
        height, width, channels = scene.pixels.shape
        assert scene.pixels.dtype == np.uint8
        assert channels == 3
        assert SIDES[0] <= min(height, width) <= max(height, width) <= SIDES[1]
        assert 1 <= len(scene.boxes) <= MOST_DIGITS
        for place, (x, y, w, h) in enumerate(scene.boxes):
            assert x >= 0 <= y
            assert x + w <= width
            assert y + h <= height
            for other in scene.boxes[:place]:
                smaller = min(w * h, other[2] * other[3])
                assert _shared((x, y, w, h), other) <= MOST_COVERED * smaller
        counts.add(len(scene.boxes))
        heights += [box[3] for box in scene.boxes]
        sides.add((height, width))
    assert counts == set(range(1, MOST_DIGITS + 1))
    assert min(heights) < 20 < 40 < max(heights)
    assert len(sides) > 100
    grey = [draw_scene(digits, np.random.default_rng((0, at))).pixels for at in range(60)]
    assert 5 < sum(bool((pixels == pixels[..., :1]).all()) for pixels in grey) < 40


def test_ink_is_inside_its_box_and_touches_its_sides():
    """On a ground without noise the pixels that changed are the digit's."""
    digits = scene_digits()["val"]
    for at in range(20):
        ink = _digit_scenes._resized(digits.ink[at], 40, 32)
        rows, columns = (ink >= _digit_scenes.INKED).any(axis=1), (ink >= _digit_scenes.INKED).any(axis=0)
        assert rows[0]
        assert rows[-1]
        assert columns[0]
        assert columns[-1]


def test_ink_shows_on_any_ground():
    from cnnkit.data._scene_grounds import LEAST_CONTRAST, _brightness, blend_ink

    for level in (0, 60, 127, 128, 200, 255):
        place = np.full((4, 4, 3), level, np.uint8)
        blend_ink(place, np.full((4, 4), 255, np.uint8), np.random.default_rng(level))
        assert abs(_brightness(place[0, 0]) - level) >= LEAST_CONTRAST
        untouched = np.full((4, 4, 3), level, np.uint8)
        blend_ink(untouched, np.zeros((4, 4), np.uint8), np.random.default_rng(level))
        assert (untouched == level).all()


@pytest.mark.parametrize("to", data.BOX_FORMATS)
def test_every_format_reads_the_same_boxes(few, tmp_path, to):
    data.convert(data.SCENES_SOURCE, tmp_path / "coco")
    done = data.convert(data.SCENES_SOURCE, tmp_path / to, to=to)
    assert (done.n, done.parts) == (10, FEW)
    for part in FEW:
        expected, found = (data.read_boxes(tmp_path / name, split=part) for name in ("coco", to))
        rows = [
            sorted(
                (truth.keys[image], truth.classes[category], *box)
                for image, category, box in zip(
                    truth.image, truth.category, truth.xywh().round(3).tolist(), strict=True
                )
            )
            for truth in (expected, found)
        ]
        assert rows[0] == rows[1]
        pictures = data.find_pictures(tmp_path / to, part, found.keys)
        assert pictures is not None
        with Image.open(pictures / found.keys[0]) as image:
            assert image.size[::-1] == tuple(expected.sizes[expected.keys.index(found.keys[0])])


def test_one_part_alone(few, tmp_path):
    done = data.convert(data.SCENES_SOURCE, tmp_path / "out", split="test")
    assert done.parts == {"test": 3}
    with pytest.raises(DataError, match="no part 'extra'; its parts are train, val, test"):
        data.convert(data.SCENES_SOURCE, tmp_path / "no", split="extra")


def test_what_does_not_go_with_scenes(tmp_path):
    with pytest.raises(DataError, match="is drawn with its parts and names; --split, --to and --seed are for it"):
        data.convert(data.SCENES_SOURCE, tmp_path / "out", holdout=3)
    with pytest.raises(DataError, match="format 'png' is not one of labelled boxes"):
        data.convert(data.SCENES_SOURCE, tmp_path / "out", to="png")


def test_the_command(few, tmp_path, run_cnnkit):
    done = run_cnnkit("data", "convert", "sklearn:digit-scenes", tmp_path / "scenes", "--seed", 3, "--json")
    assert json.loads(done.stdout)["parts"] == FEW
    again = run_cnnkit("data", "convert", "sklearn:digit-scenes", tmp_path / "scenes", "--seed", 4, exit_code=3)
    assert "holds 'sklearn:digit-scenes, seed 3, to coco' already" in again.stderr
