"""cnnkit data convert, as a user types it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnkit import data
from cnnkit.cli.data import BOX_FORMATS, IMAGE_FORMATS
from cnnkit.data import IMAGE_SETS, class_folders


def put_idx(folder: Path, stem: str, n: int) -> None:
    pixels = np.arange(n * 4, dtype=np.uint8)
    sizes = b"".join(side.to_bytes(4, "big") for side in (n, 2, 2))
    (folder / f"{stem}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + sizes + pixels.tobytes())
    labels = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big") + bytes(at % 10 for at in range(n))
    (folder / f"{stem}-labels-idx1-ubyte").write_bytes(labels)


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    folder = tmp_path / "mnist"
    folder.mkdir()
    put_idx(folder, "train", 20)
    put_idx(folder, "t10k", 10)
    return folder


def test_the_formats_offered_are_those_that_are_read() -> None:
    assert tuple(IMAGE_SETS) == IMAGE_FORMATS
    assert data.BOX_FORMATS == BOX_FORMATS


def test_idx_becomes_class_folders(run_cnnkit: Any, mnist: Path, tmp_path: Path) -> None:
    done = run_cnnkit("data", "convert", mnist, tmp_path / "out")
    assert f"{tmp_path / 'out'}: 30 images (test 10, train 20), from idx to image folder." in done.stderr
    assert done.stdout == ""
    assert class_folders(tmp_path / "out" / "train").classes == tuple("0123456789")


def test_json_alone_goes_to_stdout(run_cnnkit: Any, mnist: Path, tmp_path: Path) -> None:
    done = run_cnnkit("data", "convert", mnist, tmp_path / "out", "--holdout", 5, "--json")
    assert json.loads(done.stdout)["parts"] == {"train": 16, "val": 4, "test": 10}
    assert done.stderr == ""


def test_one_part_is_divided_into_train_and_test(run_cnnkit: Any, mnist: Path, tmp_path: Path) -> None:
    images = mnist / "t10k-images-idx3-ubyte"
    done = run_cnnkit("data", "convert", images, tmp_path / "out", "--holdout", 5, "--json")
    assert json.loads(done.stdout)["parts"] == {"train": 8, "test": 2}
    assert sorted(path.parent.name for path in (tmp_path / "out/test").rglob("*.png")) == ["0", "5"]


def test_split_writes_one_part(run_cnnkit: Any, mnist: Path, tmp_path: Path) -> None:
    done = run_cnnkit("data", "convert", mnist, tmp_path / "out", "--split", "test", "--json")
    assert json.loads(done.stdout)["parts"] == {"test": 10}
    done = run_cnnkit("data", "convert", mnist, tmp_path / "o2", "--split", "val", exit_code=3)
    assert "no part 'val'; its parts are test, train" in done.stderr


def test_fashion_and_labels_name_the_classes(run_cnnkit: Any, mnist: Path, tmp_path: Path) -> None:
    run_cnnkit("data", "convert", mnist, tmp_path / "fashion", "--from", "fashion")
    assert "Ankle_boot" in class_folders(tmp_path / "fashion" / "train").classes
    (tmp_path / "names.txt").write_text("\n".join("abcdefghij"))
    run_cnnkit("data", "convert", mnist, tmp_path / "own", "--labels", tmp_path / "names.txt")
    assert class_folders(tmp_path / "own" / "train").classes == tuple("abcdefghij")


def test_again_it_is_left_alone_and_another_is_refused(run_cnnkit: Any, mnist: Path, tmp_path: Path) -> None:
    run_cnnkit("data", "convert", mnist, tmp_path / "out")
    run_cnnkit("data", "convert", mnist, tmp_path / "out")
    done = run_cnnkit("data", "convert", mnist, tmp_path / "out", "--holdout", 2, exit_code=3)
    assert "already. Give another folder, or --overwrite to replace it." in done.stderr
    done = run_cnnkit("data", "convert", mnist, tmp_path / "out", "--holdout", 2, "--overwrite", "--json")
    assert json.loads(done.stdout)["n"] == 30
    assert (tmp_path / "out" / "val").is_dir()


def test_another_content_of_the_same_name_is_told_apart(run_cnnkit: Any, mnist: Path, tmp_path: Path) -> None:
    run_cnnkit("data", "convert", mnist, tmp_path / "out")
    put_idx(mnist, "train", 11)
    run_cnnkit("data", "convert", mnist, tmp_path / "out", exit_code=3)


def test_what_is_not_recognised_is_asked_about(run_cnnkit: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run_cnnkit("data", "convert", tmp_path / "empty", tmp_path / "out", exit_code=3)
    assert "no labelled boxes here. Expected a COCO .json" in done.stderr
    assert "The formats are idx, fashion, cifar, digits, coco, voc, yolo, csv: --from FORMAT." in done.stderr
    done = run_cnnkit("data", "convert", tmp_path / "missing", tmp_path / "out", exit_code=3)
    said = "scikit-learn's digits are 'sklearn:digits', scenes of them 'sklearn:digit-scenes'."
    assert f"no such file or folder. {said}" in done.stderr


def test_the_digits(run_cnnkit: Any, tmp_path: Path) -> None:
    done = run_cnnkit("data", "convert", "sklearn:digits", tmp_path / "digits", "--split", "test", "--json")
    assert json.loads(done.stdout)["parts"] == {"test": 599}


def test_mnists_own_file_is_held_out(run_cnnkit: Any, shared: Path, tmp_path: Path) -> None:
    held_out = ("--holdout", 20, "--split", "test")
    done = run_cnnkit("data", "convert", shared / "mnist", tmp_path / "mnist", *held_out, "--json")
    assert json.loads(done.stdout)["parts"] == {"test": 500}


def test_boxes_become_another_format(run_cnnkit: Any, shared: Path, tmp_path: Path) -> None:
    done = run_cnnkit("data", "convert", shared / "coco128", tmp_path / "yolo", "--to", "yolo")
    assert "Crowd regions, which the format cannot say, left out: 10." in done.stderr
    assert f"{tmp_path / 'yolo'}: 128 images (all 128), from coco to yolo." in done.stderr
    assert len(list((tmp_path / "yolo" / "labels").glob("*.txt"))) == 128


def test_bad_labels_are_exit_code_3(run_cnnkit: Any, tmp_path: Path) -> None:
    (tmp_path / "gt.json").write_text('{"images": [], "annotations": []}')
    done = run_cnnkit("data", "convert", tmp_path / "gt.json", tmp_path / "out", exit_code=3)
    assert f"Error: {tmp_path / 'gt.json'}: Object missing required field `categories`." in done.stderr
