"""Class folders for training, and the published cases of folders and label files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnkit.data import class_folders, find_images, read_labels, read_truth
from cnnkit.errors import DataError


def images(root: Path, *keys: str) -> Path:
    for key in keys:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).touch()
    return root


def test_classes_are_the_folders_that_hold_images_sorted_as_text(tmp_path: Path) -> None:
    data = images(tmp_path, "2/a.png", "10/a.png", "1/a.png", "1/b/c.png")
    found = class_folders(data)
    assert found.classes == ("1", "10", "2")
    assert [sample.key for sample in found.listing] == ["1/a.png", "1/b/c.png", "10/a.png", "2/a.png"]
    assert found.labels.tolist() == [0, 0, 1, 2]
    assert found.labels.dtype == np.int32
    assert found.notes == ()


def test_given_classes_are_matched_by_name(tmp_path: Path) -> None:
    data = images(tmp_path, "cat/1.png", "dog/1.png")
    found = class_folders(data, classes=["dog", "bird", "cat"])
    assert found.labels.tolist() == [2, 0]
    assert found.classes == ("dog", "bird", "cat")
    assert found.notes == ("Classes without an image: bird.",)
    with pytest.raises(DataError, match="no class of the model answers to 'dog'"):
        class_folders(data, classes=["cat", "bird"])


def test_stray_images_and_empty_folders_are_left_out_and_said(tmp_path: Path) -> None:
    data = images(tmp_path, "cat/1.png", "stray.png", "empty/readme.txt", ".git/x.png")
    found = class_folders(data)
    assert found.classes == ("cat",)
    assert found.notes == (
        "Left out, not images by name: 1 (empty/readme.txt).",
        f"Left out, images of {data} that lie in no class folder: 1.",
        "Classes without an image: empty.",
    )


def test_a_flat_folder_cannot_be_trained_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 images and no class folder around them"):
        class_folders(images(tmp_path, "1.png", "2.png"))


def case(shared: Path, tmp_path: Path, name: str) -> tuple[dict[str, Any], Path, Path]:
    told = json.loads((shared / "metrics" / "cls" / f"{name}.json").read_text())
    data = tmp_path / "data"
    for folder, files in told["folders"].items():
        (data / folder).mkdir(parents=True, exist_ok=True)
        images(data / folder, *files)
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(told["label_file_lines"]))
    return told, data, labels


@pytest.mark.parametrize("name", ["040_folder_order_vs_label_file", "042_synset_label_file", "046_junk_in_folders"])
def test_published_cases_of_folders_and_label_files(shared: Path, tmp_path: Path, name: str) -> None:
    told, data, labels = case(shared, tmp_path, name)
    truth = read_truth(data, classes=read_labels(labels).classes)
    expected = told["expected"]
    guesses = told.get("argmax_by_file") or {
        key: int(np.argmax(scores)) for key, scores in told["scores_by_file"].items()
    }
    assert set(truth.labels) == set(guesses) == set(find_images(data).keys)
    assert len(truth.labels) == expected["n"]
    wrong = sum(guesses[key] != label for key, label in truth.labels.items())
    assert wrong / len(truth.labels) == pytest.approx(expected["top1_error"], abs=told["tolerance"])
    for folder, at in expected.get("class_index_of_folder", {}).items():
        assert {label for key, label in truth.labels.items() if key.startswith(folder + "/")} == {at}
    for at, n in enumerate(expected.get("support", {}).values()):
        assert list(truth.labels.values()).count(at) == n


@pytest.mark.parametrize("name", ["044_error_folder_without_label", "048_error_flat_folder"])
def test_published_cases_that_are_errors(shared: Path, tmp_path: Path, name: str) -> None:
    told, data, labels = case(shared, tmp_path, name)
    with pytest.raises(DataError) as caught:
        read_truth(data, classes=read_labels(labels).classes)
    for word in told["error_should_name"]:
        assert word in str(caught.value)


def test_real_class_folders(shared: Path) -> None:
    found = class_folders(shared / "fashion900")
    assert len(found.classes) == 10
    assert len(found.listing) == 900
    assert np.bincount(found.labels).min() > 0
