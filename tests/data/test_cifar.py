"""CIFAR-10 and CIFAR-100, binary version."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from cnnkit.data import read_cifar
from cnnkit.errors import DataError


def record(*labels: int, red: int = 0, green: int = 0, blue: int = 0) -> bytes:
    return bytes(labels) + bytes([red]) * 1024 + bytes([green]) * 1024 + bytes([blue]) * 1024


@pytest.fixture
def cifar10(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "data_batch_1.bin").write_bytes(record(1, red=9) + record(0, green=8))
    (folder / "data_batch_2.bin").write_bytes(record(2, blue=7))
    (folder / "test_batch.bin").write_bytes(record(2))
    (folder / "batches.meta.txt").write_text("airplane\nautomobile\nbird\n\n")
    return folder


def test_cifar10(cifar10: Path) -> None:
    train, test = read_cifar(cifar10)
    assert train.pixels.shape == (3, 32, 32, 3)
    assert train.pixels[:, 5, 6].tolist() == [[9, 0, 0], [0, 8, 0], [0, 0, 7]]
    assert [train.names[at] for at in train.labels] == ["automobile", "airplane", "bird"]
    assert (train.part, test.part, test.labels.tolist()) == ("train", "test", [2])


def test_rows_come_before_columns(cifar10: Path) -> None:
    plane = np.arange(1024, dtype=np.uint16).astype(np.uint8)
    (cifar10 / "test_batch.bin").write_bytes(b"\0" + plane.tobytes() * 3)
    test = read_cifar(cifar10)[1]
    assert test.pixels[0, 1, 2].tolist() == [34, 34, 34]


def test_the_folder_above_and_the_archive_are_taken_too(cifar10: Path, tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(cifar10, "cifar-10-batches-bin")
    for source in (cifar10.parent, archive):
        train, test = read_cifar(source)
        assert (len(train.labels), len(test.labels)) == (3, 1)


def test_cifar100_has_two_labels(tmp_path: Path) -> None:
    (tmp_path / "train.bin").write_bytes(record(1, 2) + record(0, 0))
    (tmp_path / "fine_label_names.txt").write_text("apple\nbaby\nbear")
    (tmp_path / "coarse_label_names.txt").write_text("fruit\npeople")
    (fine,) = read_cifar(tmp_path)
    assert [fine.names[at] for at in fine.labels] == ["bear", "apple"]
    (coarse,) = read_cifar(tmp_path, coarse=True)
    assert [coarse.names[at] for at in coarse.labels] == ["people", "fruit"]


def test_names_may_be_given(cifar10: Path) -> None:
    (cifar10 / "batches.meta.txt").unlink()
    with pytest.raises(DataError, match=r"batches.meta.txt, which names the classes, is missing. --labels FILE"):
        read_cifar(cifar10)
    assert read_cifar(cifar10, names=["a", "b", "c"])[0].names == ("a", "b", "c")
    with pytest.raises(DataError, match="train: labels from 0 to 2 for 2 classes"):
        read_cifar(cifar10, names=["a", "b"])


def test_what_is_wrong_is_said(cifar10: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="CIFAR-10 has no coarse labels"):
        read_cifar(cifar10, coarse=True)
    (cifar10 / "test_batch.bin").write_bytes(record(2)[:-1])
    with pytest.raises(DataError, match=r"test has 3072 bytes, no multiple of a record's 3073. Was it cut short"):
        read_cifar(cifar10)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no CIFAR files here. Expected data_batch_1.bin"):
        read_cifar(tmp_path / "empty")
    (tmp_path / "broken.tar.gz").write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(DataError, match="cannot be read as CIFAR's archive"):
        read_cifar(tmp_path / "broken.tar.gz")


def test_the_python_version_is_a_pickle_and_is_not_opened(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for name in ("data_batch_1", "batches.meta"):
            packed.addfile(tarfile.TarInfo(f"cifar-10-batches-py/{name}"), io.BytesIO())
    with pytest.raises(DataError, match="CIFAR's Python version, a pickle, which can run code and is not read"):
        read_cifar(archive)
