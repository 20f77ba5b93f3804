"""YOLO's text labels and data.yaml."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnkit.data import read_boxes, write_data_yaml, write_yolo
from cnnkit.errors import DataError


def picture(path: Path, *, width: int = 200, height: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height)).save(path)
    return path


def label(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    picture(tmp_path / "images/train/a.png")
    picture(tmp_path / "images/val/sub/b.png", width=10, height=20)
    picture(tmp_path / "images/val/empty.png")
    label(tmp_path / "labels/train/a.txt", "1 0.5 0.5 0.5 0.2\n\n0 0.1 0.1 0.2 0.2\n")
    label(tmp_path / "labels/val/sub/b.txt", "0 0.5 0.5 1 1")
    label(tmp_path / "labels/val/lost.txt", "0 0.5 0.5 1 1")
    label(tmp_path / "data.yaml", "path: .\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n")
    return tmp_path


def test_boxes_become_pixels_of_the_picture(data: Path) -> None:
    truth = read_boxes(data, split="train")
    assert (truth.keys, truth.classes) == (("a.png",), ("cat", "dog"))
    assert truth.sizes.tolist() == [[100, 200]]
    assert truth.boxes.tolist() == [[50, 40, 100, 20], [0, 0, 40, 20]]
    assert truth.area.tolist() == [2000, 800]
    assert truth.category.tolist() == [1, 0]


def test_val_is_read_and_what_has_no_counterpart_is_counted(data: Path) -> None:
    for source in (data, data / "data.yaml"):
        truth = read_boxes(source)
        assert truth.keys == ("empty.png", "sub/b.png")
        assert truth.boxes.tolist() == [[0, 0, 10, 20]]
        assert {name: n for name, n in truth.counts.items() if n} == {"n_without_image": 1, "n_empty_images": 1}


def test_a_folder_without_a_yaml(data: Path) -> None:
    (data / "data.yaml").unlink()
    assert read_boxes(data, split="train").classes == ("0", "1")
    label(data / "labels/classes.txt", "cat\ndog\n")
    assert read_boxes(data, split="train").classes == ("cat", "dog")
    assert read_boxes(data).keys == ("empty.png", "sub/b.png")


def test_images_and_labels_without_parts(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png")
    label(tmp_path / "labels/a.txt", "2 0.5 0.5 0.5 0.5")
    truth = read_boxes(tmp_path)
    assert (truth.keys, truth.classes) == (("a.png",), ("0", "1", "2"))


def test_the_picture_is_measured_as_it_is_shown(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("L", (200, 100)).save(tmp_path / "images/a.jpg", exif=exif)
    label(tmp_path / "labels/a.txt", "0 0.5 0.5 1 1")
    assert read_boxes(tmp_path).boxes.tolist() == [[0, 0, 100, 200]]


def test_a_picture_that_cannot_be_measured_is_left_out_and_counted(data: Path) -> None:
    (data / "images/val/broken.png").write_bytes(b"nothing")
    truth = read_boxes(data)
    assert "broken.png" not in truth.keys
    assert truth.counts["n_size_unknown"] == 1


def test_polygons_become_the_box_around_them(data: Path) -> None:
    label(data / "labels/train/a.txt", "0 0.1 0.2 0.5 0.2 0.3 0.8\n")
    truth = read_boxes(data, split="train")
    assert truth.boxes[0] == pytest.approx([20, 20, 80, 60])
    assert "Polygons, taken as the boxes around them: 1." in truth.notes


def test_lists_of_pictures_and_several_folders(data: Path) -> None:
    label(data / "val.txt", "./images/val/sub/b.png\nimages/train/a.png\n")
    label(data / "data.yaml", "train: [images/train, images/val]\nval: val.txt\nnames: {0: cat, 1: dog}\n")
    assert read_boxes(data).keys == ("images/val/sub/b.png", "images/train/a.png")
    assert len(read_boxes(data, split="train").keys) == 3


def test_roboflows_way_of_writing_paths(data: Path) -> None:
    label(data / "data.yaml", "train: ../images/train\nval: ../images/val\nnc: 2\nnames: ['cat', 'dog']\n")
    assert read_boxes(data, split="train").keys == ("a.png",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.5 0.5 0.5 0.5 0.5", "class '0.5' is no integer from 0"),
        ("-1 0.5 0.5 0.5 0.5", "class '-1' is no integer from 0"),
        ("2 0.5 0.5 0.5 0.5", "class 2 has no name, there are 2"),
        ("cat 0.5 0.5 0.5 0.5", "expected finite numbers"),
        ("0 0.5 nan 0.5 0.5", "expected finite numbers"),
        ("0 0.5 0.5 0.5", "4 columns, expected class cx cy w h"),
        ("0 0.5 0.5 0.5 0.5 0.9", "6 columns, expected class cx cy w h. A sixth column is a score"),
        ("0 0.5 0.5 -0.5 0.5", "width and height must not be negative"),
        ("0 50 50 20 20", "coordinates must be parts of the picture, 0 to 1. Are these pixels"),
    ],
)
def test_what_is_wrong_is_said(data: Path, text: str, message: str) -> None:
    path = label(data / "labels/train/a.txt", f"0 0.5 0.5 0.1 0.1\n{text}\n")
    with pytest.raises(DataError, match=message) as caught:
        read_boxes(data, split="train")
    assert str(caught.value).startswith(f"{path}: line 2 ({text})")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: images/nothing\nnames: [a]", "'images/nothing' is not there, neither below"),
        ("names: [a]", "names no train, val or test"),
        ("train: images/train\nnc: 3\nnames: [a, b]", "nc is 3 and there are 2 names"),
        ("train: images/train\nnames:\n  1: a\n  2: b", "names must be numbered 0 to 1, got 1, 2"),
    ],
)
def test_what_is_wrong_with_a_data_yaml_is_said(data: Path, text: str, message: str) -> None:
    label(data / "data.yaml", text)
    with pytest.raises(DataError, match=message):
        read_boxes(data, split="train")


def test_boxes_outside_are_kept_and_counted(data: Path) -> None:
    label(data / "labels/train/a.txt", "0 0.9 0.5 0.4 0.5\n0 0.5 0.5 0 0.5")
    truth = read_boxes(data, split="train")
    assert truth.boxes[0].tolist() == pytest.approx([140, 25, 80, 50])
    assert (truth.counts["n_outside"], truth.counts["n_degenerate"]) == (1, 1)


BOX = st.tuples(st.integers(0, 99), st.integers(0, 49), st.integers(1, 100), st.integers(1, 50))


@settings(max_examples=20, deadline=None)
@given(st.lists(BOX, max_size=4))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[int, int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("yolo")
    picture(folder / "images" / "a.png")
    lines = [
        f"{at % 2} {(x + w / 2) / 200!r} {(y + h / 2) / 100!r} {w / 200!r} {h / 100!r}\n"
        for at, (x, y, w, h) in enumerate(boxes)
    ]
    label(folder / "labels" / "a.txt", "".join(lines))
    write_data_yaml(folder, ["a: b", 'say "hi"'], [None])
    first = read_boxes(folder)
    assert np.allclose(first.boxes, np.array(boxes, dtype=float).reshape(-1, 4), atol=1e-9)
    write_yolo(first, folder)
    second = read_boxes(folder)
    assert second.classes == ("a: b", 'say "hi"')
    assert np.allclose(first.boxes, second.boxes, atol=1e-9)
    assert first.category.tolist() == second.category.tolist()
