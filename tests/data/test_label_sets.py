"""Any number of labels an image: the files that say so, and how they find their images."""

from pathlib import Path

import pytest

from cnnkit.data import read_label_sets
from cnnkit.errors import DataError
from cnnkit.spec import ClassName

CLASSES = [ClassName(name="person"), ClassName(name="traffic light", aliases=("light",)), ClassName(name="dog")]


def read(tmp_path: Path, name: str, text: str, **options: object) -> dict[str, tuple[int, ...]]:
    (tmp_path / "images").mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    keys = options.pop("keys", ["a.jpg", "b.jpg", "c.jpg"])
    truth = tmp_path / name
    return read_label_sets(tmp_path / "images", classes=CLASSES, truth=truth, keys=keys, **options).labels  # type: ignore[arg-type]


WANTED = {"a.jpg": (0, 2), "b.jpg": (1,), "c.jpg": ()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "key,labels\na.jpg,dog|person\nb.jpg,traffic light\nc.jpg,\n"),
        ("t.csv", "key,labels\na.jpg,dog;person\nb.jpg,light\nc.jpg,\n"),
        ("t.csv", "a.jpg,dog\na.jpg,person\nb.jpg,light\nc.jpg,\n"),
        ("t.csv", "file,person,traffic light,dog\na.jpg,1,0,1\nb.jpg,0,1,0\nc.jpg,0,0,0\n"),
        ("t.json", '{"a.jpg": ["dog", "person", "dog"], "b.jpg": ["light"], "c.jpg": []}'),
        (
            "t.json",
            '[{"file_name": "a.jpg", "labels": ["person", "dog"]}, {"key": "b.jpg", "labels": ["light"]}, '
            '{"key": "c.jpg", "labels": []}]',
        ),
    ],
)
def test_forms(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path, name, text) == WANTED


def test_positions(tmp_path: Path) -> None:
    assert read(tmp_path, "t.json", '{"a.jpg": [0, 2], "b.jpg": [1], "c.jpg": []}', truth_index=True) == WANTED


def test_counts_and_notes(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "t.csv").write_text("key,labels\na.jpg,dog\nz.jpg,dog\n")
    found = read_label_sets(tmp_path / "images", classes=CLASSES, truth=tmp_path / "t.csv", keys=["a.jpg", "b.jpg"])
    assert (found.n_unlabelled, found.n_outside_part, found.n_without_image) == (1, 0, 1)
    assert any("person, traffic light" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "key,labels\na.jpg,fox\n", "t.csv, line 2: no class of the model answers to 'fox'"),
        ("t.csv", "key,person,dog\na.jpg,1,2\n", "line 2, column 'dog': expected 0 or 1, got '2'"),
        ("t.csv", "key,person,dog\na.jpg,1\n", "line 2 has 2 columns, expected 3"),
        ("t.csv", "key,labels\n,dog\n", "line 2 must have a key and labels, got ', dog'"),
        ("t.csv", "", "no labels in it; expected lines"),
        ("t.csv", "key,labels\nz.jpg,dog\n", "none of its 1 keys is an image"),
        ("t.json", '{"a.jpg": "dog"}', "the labels of 'a.jpg' must be a list of names, got 'dog'"),
        ("t.json", '[{"labels": []}]', "entry 0 has no key and labels"),
        ("t.json", "3", "expected an object or a list, got int"),
        ("t.csv", "key,labels\na.jpg,0|2\n", "give --truth-index"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, name, text)
    assert message in str(caught.value)
