"""IDX files: what they say, and every way in which they can lie."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnnkit.data import read_idx, read_idx_set
from cnnkit.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array: NDArray[np.generic]) -> bytes:
    sizes = b"".join(side.to_bytes(4, "big") for side in array.shape)
    code = CODES[array.dtype.str[1:]]
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def put_set(folder: Path, stem: str, labels: list[int], *, suffix: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    pixels = np.arange(len(labels) * 6, dtype=np.uint8).reshape(-1, 2, 3)
    pack = gzip.compress if suffix == ".gz" else bytes
    (folder / f"{stem}-images-idx3-ubyte{suffix}").write_bytes(pack(idx_bytes(pixels)))
    (folder / f"{stem}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx_bytes(np.array(labels, np.uint8))))
    return folder


def test_the_bytes_of_a_small_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes([0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 255, 254]))
    assert read_idx(path).tolist() == [[256, -2]]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(CODES)), st.lists(st.integers(0, 4), min_size=1, max_size=3), st.booleans())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, dtype: str, shape: list[int], packed: bool
) -> None:
    array = (np.arange(np.prod(shape)) % 100).astype(dtype).reshape(shape)
    path = tmp_path_factory.mktemp("idx") / "a"
    path.write_bytes(gzip.compress(idx_bytes(array)) if packed else idx_bytes(array))
    found = read_idx(path)
    assert found.dtype == np.dtype(dtype)
    assert np.array_equal(found, array)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an IDX file: it begins with nothing"),
        (b"\x89PNG\r\n", "not an IDX file: it begins with 89 50 4e 47"),
        (bytes([0, 0, 0x07, 1]), "not an IDX file"),
        (bytes([0, 0, 0x08, 0]), "not an IDX file"),
        (bytes([0, 0, 0x08, 1, 0, 0, 0, 3, 1, 2]), r"declares \[3\], which takes 11 bytes, and has 10"),
        (bytes([0, 0, 0x08, 1, 0, 0, 0, 1, 1, 2]), r"declares \[1\], which takes 9 bytes, and has 10"),
        (bytes([0, 0, 0x08, 3, 255, 255, 255, 255]), "which takes"),
        (b"\x1f\x8b\x08\x00broken", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "a")


def test_a_set_has_the_parts_that_are_there(tmp_path: Path) -> None:
    put_set(tmp_path, "train", [0, 1, 2], suffix=".gz")
    put_set(tmp_path, "t10k", [9, 0])
    test, train = read_idx_set(tmp_path)
    assert (test.part, test.labels.tolist(), train.part, train.labels.tolist()) == ("test", [9, 0], "train", [0, 1, 2])
    assert train.pixels.shape == (3, 2, 3)
    (alone,) = read_idx_set(tmp_path / "t10k-images-idx3-ubyte")
    assert alone.part == "test"


def test_names_with_dots_are_known(tmp_path: Path) -> None:
    put_set(tmp_path, "train", [0])
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / "train-images.idx3-ubyte")
    (tmp_path / "train-labels-idx1-ubyte").rename(tmp_path / "train-labels.idx1-ubyte")
    assert read_idx_set(tmp_path)[0].part == "train"


def test_what_is_wrong_with_a_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no IDX images here. Expected files like train-images-idx3-ubyte"):
        read_idx_set(tmp_path)
    put_set(tmp_path, "train", [0, 10])
    with pytest.raises(DataError, match=r"train: labels from 0 to 10 for 10 classes. --labels FILE names the classes"):
        read_idx_set(tmp_path)
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx_bytes(np.array([1], np.uint8)))
    with pytest.raises(DataError, match="1 labels for the 2 images of train-images-idx3-ubyte"):
        read_idx_set(tmp_path)
    labels.write_bytes(idx_bytes(np.array([[1, 2]], np.uint8)))
    with pytest.raises(DataError, match=r"expected integer labels \(n,\), got uint8 \(1, 2\)"):
        read_idx_set(tmp_path)
    labels.unlink()
    with pytest.raises(DataError, match="its labels are missing: expected train-labels-idx1-ubyte or"):
        read_idx_set(tmp_path)
    put_set(tmp_path, "train", [0])
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(np.zeros((1, 2, 3), np.int32)))
    with pytest.raises(DataError, match="expected uint8 images"):
        read_idx_set(tmp_path)


def test_mnists_own_file(shared: Path) -> None:
    (test,) = read_idx_set(shared / "mnist")
    assert test.pixels.shape == (10000, 28, 28)
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
