"""Train, val and test beside one another: when a folder has parts, and which is read."""

from pathlib import Path

import pytest

from cnnkit.data import Part, find_part, find_parts
from cnnkit.errors import DataError


def folders(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["train", "test"], {"train": "train", "test": "test"}),
        (["train", "valid"], {"train": "train", "val": "valid"}),
        (["train", "validation", "test", "annotations"], {"train": "train", "val": "validation", "test": "test"}),
        (["val", "validation", "train"], {"train": "train", "val": "val"}),
        (["test"], {"test": "test"}),
        (["val", ".cache"], {"val": "val"}),
        (["train", "bus", "car"], {}),  # a class of vehicles
        (["test", "cat"], {}),
        (["Train", "Test"], {}),
        ([], {}),
    ],
)
def test_what_counts_as_parts(tmp_path: Path, names: list[str], parts: dict[str, str]) -> None:
    folders(tmp_path, *names)
    assert find_parts(tmp_path) == {part: tmp_path / name for part, name in parts.items()}


def test_a_file_has_no_parts(tmp_path: Path) -> None:
    (tmp_path / "train").touch()
    assert find_parts(tmp_path) == {}
    assert find_parts(tmp_path / "train") == {}


def test_evaluation_reads_test_else_val_and_says_so(tmp_path: Path) -> None:
    data = folders(tmp_path, "train", "valid", "test")
    part = find_part(data)
    assert (part.root, part.name) == (data / "test", "test")
    assert part.notes == (f"{data} has parts: test is read (it also has train and val).",)
    (data / "test").rmdir()
    assert find_part(data).root == data / "valid"


def test_a_folder_without_parts_is_read_whole_and_quietly(tmp_path: Path) -> None:
    assert find_part(folders(tmp_path, "cat", "dog")) == Part(tmp_path)


def test_split_chooses(tmp_path: Path) -> None:
    data = folders(tmp_path, "train", "valid")
    assert find_part(data, split="train") == Part(data / "train", "train")
    for name in ("val", "valid", "validation"):
        assert find_part(data, split=name) == Part(data / "valid", "val")
    assert find_part(data, split="all") == Part(data)


def test_split_may_name_any_folder(tmp_path: Path) -> None:
    data = folders(tmp_path, "2019", "2020")
    assert find_part(data, split="2020") == Part(data / "2020", "2020")


@pytest.mark.parametrize("split", ["test", "", ".", "..", "nothing"])
def test_a_part_that_is_not_there_is_an_error(tmp_path: Path, split: str) -> None:
    data = folders(tmp_path, "train", "val")
    with pytest.raises(DataError, match=f"no part '{split}'; its parts are train, val"):
        find_part(data, split=split)


def test_errors_say_what_is_there(tmp_path: Path) -> None:
    data = folders(tmp_path, "train")
    with pytest.raises(DataError, match=r"has the parts train, none of test, val. Say which to read: --split NAME"):
        find_part(data)
    with pytest.raises(DataError, match="no part 'val'; it has no parts"):
        find_part(folders(tmp_path / "flat", "cat"), split="val")
    with pytest.raises(DataError, match="no such file or folder"):
        find_part(tmp_path / "missing")
