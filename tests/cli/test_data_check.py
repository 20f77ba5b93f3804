"""`cnnkit data check`: each kind of mistake planted, named and counted."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two parts of two classes, three pictures of noise each."""
    random = np.random.default_rng(0)
    for at in range(12):
        path = tmp_path / "photos" / ("train", "test")[at % 2] / ("cat", "dog")[at // 2 % 2] / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        coarse.resize((80, 60), Image.Resampling.BICUBIC).save(path)
    return tmp_path / "photos"


def test_a_folder_without_mistakes(photos: Path, run_cnnkit) -> None:
    said = run_cnnkit("data", "check", photos).stderr
    assert "photos: 12 images (train 6, test 6)." in said
    assert "The same to the pixel as another: 0 images. Nearly the same: 0 pairs." in said


def test_each_kind_of_mistake(photos: Path, run_cnnkit) -> None:
    Image.open(photos / "train" / "cat" / "0.png").save(photos / "train" / "dog" / "wrong.bmp")
    shutil.copy(photos / "train" / "cat" / "4.png", photos / "test" / "cat" / "leak.png")
    shutil.copy(photos / "test" / "dog" / "3.png", photos / "test" / "dog" / "again.png")
    Image.open(photos / "test" / "cat" / "1.png").resize((40, 30)).save(photos / "train" / "cat" / "small.png")
    (photos / "test" / "cat" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    result = run_cnnkit("data", "check", photos, "--json", exit_code=1)
    facts = json.loads(result.stdout)
    assert facts["parts"] == {"train": 8, "test": 9}
    assert (facts["n_extra"], facts["n_conflicts"], facts["n_across"], facts["n_near"]) == (3, 1, 1, 1)
    assert facts["unread"] == ["test/cat/bad.png"]
    said = " ".join(result.stderr.split())
    assert "Cannot be read: test/cat/bad.png" in said
    assert "The same (different labels): train/cat/0.png, train/dog/wrong.bmp" in said
    assert "Nearly the same: train/cat/small.png, test/cat/1.png" in said
    assert (
        "1 files cannot be read; 1 pictures lie in different class folders; 1 pictures lie in different parts." in said
    )


def test_copies_in_one_class_and_near_ones_are_named_and_no_mistake(photos: Path, run_cnnkit) -> None:
    shutil.copy(photos / "test" / "dog" / "3.png", photos / "test" / "dog" / "again.png")
    said = run_cnnkit("data", "check", photos / "test").stderr
    assert "photos/test: 7 images (all 7)." in " ".join(said.split())
    assert "The same: dog/3.png, dog/again.png" in said


def test_a_folder_that_is_not_there(tmp_path: Path, run_cnnkit) -> None:
    assert "no such file or folder" in run_cnnkit("data", "check", tmp_path / "none", exit_code=3).stderr
