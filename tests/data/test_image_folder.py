"""Writing image folders: whole or not at all, resumable, never over what others wrote."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnkit.data import Picture, class_folders, find_parts, write_digits, write_image_folder
from cnnkit.errors import DataError

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
COLOUR = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)


def two() -> Iterator[Picture]:
    yield Picture("train", "cat", "a", GREY)
    yield Picture("test", "T-shirt/top", "b", COLOUR)


def test_pixels_come_back(tmp_path: Path) -> None:
    assert write_image_folder(tmp_path / "out", two(), source="two") == 2
    with Image.open(tmp_path / "out/train/cat/a.png") as image:
        assert (image.mode, np.asarray(image).tolist()) == ("L", GREY.tolist())
    with Image.open(tmp_path / "out/test/T-shirt_top/b.png") as image:
        assert (image.mode, np.asarray(image).tolist()) == ("RGB", COLOUR.tolist())
    assert class_folders(tmp_path / "out" / "train").classes == ("cat",)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_without_parts(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "out", [Picture(None, ".hidden", "a", GREY)], source="one")
    assert (tmp_path / "out" / "_hidden" / "a.png").exists()


def test_killed_it_leaves_no_folder_and_goes_on(tmp_path: Path) -> None:
    def killed() -> Iterator[Picture]:
        yield from two()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_image_folder(tmp_path / "out", killed(), source="two")
    assert not (tmp_path / "out").exists()
    written = tmp_path / ".out.partial" / "train" / "cat" / "a.png"
    before = written.stat().st_mtime_ns
    assert write_image_folder(tmp_path / "out", two(), source="two") == 2
    assert (tmp_path / "out/train/cat/a.png").stat().st_mtime_ns == before
    assert not (tmp_path / ".out.partial").exists()


def test_what_another_source_left_unfinished_is_thrown_away(tmp_path: Path) -> None:
    def killed() -> Iterator[Picture]:
        yield from two()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_image_folder(tmp_path / "out", killed(), source="other")
    write_image_folder(tmp_path / "out", [Picture(None, "dog", "a", GREY)], source="two")
    assert sorted(path.name for path in (tmp_path / "out").glob("*")) == [".cnnkit-data.json", "dog"]


def test_the_same_again_is_left_alone(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "out", two(), source="two")
    (tmp_path / "out/train/cat/a.png").unlink()
    assert write_image_folder(tmp_path / "out", two(), source="two") == 2
    assert not (tmp_path / "out/train/cat/a.png").exists()
    write_image_folder(tmp_path / "out", two(), source="two", overwrite=True)
    assert (tmp_path / "out/train/cat/a.png").exists()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert write_image_folder(tmp_path / "out", two(), source="two") == 2


def test_what_others_wrote_is_never_touched(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").touch()
    for overwrite in (False, True):
        with pytest.raises(DataError, match=r"not empty and not written by cnnkit \(it holds 'thesis.tex'\)"):
            write_image_folder(out, two(), source="two", overwrite=overwrite)
    with pytest.raises(DataError, match="is a file; the output is a folder"):
        write_image_folder(out / "thesis.tex", two(), source="two")
    write_image_folder(tmp_path / "ours", two(), source="two")
    with pytest.raises(DataError, match=r"holds 'two' already. Give another folder, or --overwrite"):
        write_image_folder(tmp_path / "ours", two(), source="three")


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_image_folder(
        tmp_path / "out", two(), source="two", total=2, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 2), (2, 2)]


def test_the_digits_are_scikit_learns(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    assert write_digits(tmp_path / "digits") == 1797
    parts = find_parts(tmp_path / "digits")
    sizes = {part: len(class_folders(root).listing) for part, root in parts.items()}
    assert sizes == {"train": 1198, "test": 599}
    found = load_digits()
    held_out = found.images[::3], found.target[::3]
    for at, (values, label) in enumerate(zip(*held_out, strict=True)):
        with Image.open(parts["test"] / str(label) / f"{3 * at:05d}.png") as image:
            assert np.array_equal(np.rint(np.asarray(image, dtype=float) * 16 / 255), values)
