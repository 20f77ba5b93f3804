"""Small image folders that a network learns in a second."""

import json
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


BLOCK_NAMES = ("blue", "green", "red")


def draw_blocks(n: int, *, seed: int, size: int = 48) -> tuple[list[np.ndarray], list[list[tuple[int, ...]]]]:
    """Grey noise with one or two coloured blocks: pictures, and (class, x, y, w, h) of each block."""
    random = np.random.default_rng(seed)
    pictures, blocks = [], []
    for _ in range(n):
        pixels = random.integers(90, 130, (size, size, 3)).astype(np.uint8)
        here = []
        for left in random.permutation([0, size // 2])[: random.integers(1, 3)]:
            width, height = (int(side) for side in random.integers(10, 20, 2))
            x = int(left + random.integers(0, size // 2 - width + 1))
            y = int(random.integers(0, size - height + 1))
            of_class = int(random.integers(3))
            pixels[y : y + height, x : x + width] = np.eye(3, dtype=np.uint8)[2 - of_class] * 255
            here.append((of_class, x, y, width, height))
        pictures.append(pixels)
        blocks.append(here)
    return pictures, blocks


def write_blocks(root: Path, n: int, *, part: str, seed: int) -> None:
    """COCO's annotations/instances_PART.json and images/PART/*.png."""
    pictures, blocks = draw_blocks(n, seed=seed)
    (root / "images" / part).mkdir(parents=True)
    (root / "annotations").mkdir(exist_ok=True)
    images, annotations = [], []
    for at, (pixels, here) in enumerate(zip(pictures, blocks, strict=True)):
        name = f"{part}{at:03d}.png"
        Image.fromarray(pixels).save(root / "images" / part / name)
        images.append({"id": at + 1, "file_name": name, "height": pixels.shape[0], "width": pixels.shape[1]})
        for of_class, *box in here:
            row = {"image_id": at + 1, "category_id": of_class + 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            annotations.append({"id": len(annotations) + 1, **row})
    categories = [{"id": at + 1, "name": name} for at, name in enumerate(BLOCK_NAMES)]
    facts = {"images": images, "annotations": annotations, "categories": categories}
    (root / "annotations" / f"instances_{part}.json").write_text(json.dumps(facts))


@pytest.fixture(scope="session")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """COCO parts train (32 pictures) and val (12)."""
    root = tmp_path_factory.mktemp("blocks")
    write_blocks(root, 32, part="train", seed=0)
    write_blocks(root, 12, part="val", seed=1)
    return root
