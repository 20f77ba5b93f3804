"""Boxes in a CSV file."""

from pathlib import Path

import numpy as np
import pytest

from cnnkit.data import read_boxes, read_boxes_csv, write_boxes_csv
from cnnkit.errors import DataError


def put(folder: Path, text: str) -> Path:
    path = folder / "boxes.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "key,class,x,y,w,h\na.jpg,dog,1,2,3.5,4\na.jpg,cat,0,0,1,1\nb.jpg,,,,,\n",
        "key,class,x1,y1,x2,y2\na.jpg,dog,1,2,4.5,6\na.jpg,cat,0,0,1,1\nb.jpg,,,,,\n",
        "filename;label;left;top;width;height\na.jpg;dog;1;2;3.5;4\na.jpg;cat;0;0;1;1\nb.jpg;;;;;\n",
        "x,y,width,height,name,image\n1,2,3.5,4,dog,a.jpg\n0,0,1,1,cat,a.jpg\n,,,,,b.jpg\n",
    ],
)
def test_every_header_is_read(tmp_path: Path, text: str) -> None:
    truth = read_boxes_csv(put(tmp_path, text))
    assert (truth.keys, truth.classes) == (("a.jpg", "b.jpg"), ("cat", "dog"))
    assert truth.boxes.tolist() == [[1, 2, 3.5, 4], [0, 0, 1, 1]]
    assert truth.category.tolist() == [1, 0]
    assert truth.counts["n_empty_images"] == 1


def test_beside_corners_width_and_height_are_the_images(tmp_path: Path) -> None:
    text = "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,200,100,cat,1,2,3,4\na.jpg,200,100,cat,1,2,300,4\n"
    truth = read_boxes_csv(put(tmp_path, text))
    assert truth.sizes.tolist() == [[100, 200]]
    assert truth.counts["n_outside"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line must name the columns key, class and x1 y1 x2 y2 or x y w h; it is 'empty'"),
        ("a.jpg,cat,1,2,3,4", "it is 'a.jpg,cat,1,2,3,4'"),
        ("key,class,x,y,w,h\na.jpg,cat,1,2,3", "line 2 has 5 columns, the header 6"),
        ("key,class,x,y,w,h\na.jpg,cat,1,two,3,4", "line 2: y is 'two', expected a finite number"),
        ("key,class,x,y,w,h\na.jpg,cat,1,inf,3,4", "line 2: y is 'inf'"),
        ("key,class,x,y,w,h\n,cat,1,2,3,4", "line 2: key is empty"),
        ("key,class,x,y,w,h\na.jpg,cat,1,2,-3,4", "line 2: x y w h are 1 2 -3 4: sizes must not be negative"),
        ("key,class,x1,y1,x2,y2\na.jpg,cat,5,2,3,4", "x1 y1 x2 y2 are 5 2 3 4: right and bottom must not lie before"),
        ("key,class,x,y,w,h,iscrowd\na.jpg,cat,1,2,3,4,maybe", "line 2: iscrowd is 'maybe', expected 0 or 1"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_boxes_csv(put(tmp_path, text))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    header = "key,class,x,y,w,h,area,iscrowd,difficult,image_height,image_width\n"
    rows = 'a.jpg,"c,at",0.1,0.2,0.3,1e-3,7.5,1,0,10,20\nb.jpg,,,,,,,,,,\nc.jpg,dog,1,1,1,1,,0,1,,\n'
    first = read_boxes(put(tmp_path, header + rows))
    write_boxes_csv(first, tmp_path / "again.csv")
    second = read_boxes_csv(tmp_path / "again.csv")
    assert (second.keys, second.classes) == (first.keys, first.classes)
    for name in ("sizes", "image", "category", "boxes", "area", "iscrowd", "difficult"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert first.area.tolist() == [7.5, 1]
