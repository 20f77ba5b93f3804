"""What each image shows: class folders, truth files, parts, and everything that can be wrong with them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.data import read_truth
from cnnkit.errors import DataError
from cnnkit.spec import ClassName

CLASSES = tuple(ClassName(name=name) for name in ("dog", "cat", "bird"))
DIGITS = tuple(ClassName(name=str(at)) for at in range(10))


def images(root: Path, *keys: str) -> Path:
    for key in keys:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).touch()
    return root


def truth_file(tmp_path: Path, text: str, name: str = "truth.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_the_class_is_the_first_folder_whatever_the_order(tmp_path: Path) -> None:
    data = images(tmp_path, "bird/1.png", "cat/a/b/2.png", "dog/3.png")
    truth = read_truth(data, classes=CLASSES)
    assert truth.labels == {"bird/1.png": 2, "cat/a/b/2.png": 1, "dog/3.png": 0}
    assert (truth.root, truth.part, truth.prefix, truth.notes) == (data, None, "", ())


def test_a_class_without_images_is_noted(tmp_path: Path) -> None:
    truth = read_truth(images(tmp_path, "cat/1.png"), classes=CLASSES)
    assert truth.notes == ("2 of 3 classes have no image here: dog, bird.",)


def test_a_folder_that_no_class_answers_to_is_an_error(tmp_path: Path) -> None:
    data = images(tmp_path, "cat/1.png", "fox/1.png", "owl/1.png")
    with pytest.raises(DataError, match="class folders: no class of the model answers to 'fox', 'owl'"):
        read_truth(data, classes=CLASSES)
    truth = read_truth(data, classes=CLASSES, class_map={"fox": "dog", "owl": "bird"})
    assert truth.labels == {"cat/1.png": 1, "fox/1.png": 0, "owl/1.png": 2}


def test_folders_one_level_too_high_are_pointed_out(tmp_path: Path) -> None:
    data = images(tmp_path, "images/cat/1.png", "images/dog/1.png")
    with pytest.raises(DataError, match=r"no class of the model answers to 'images'.* Did you mean .*images\?"):
        read_truth(data, classes=CLASSES)


def test_a_flat_folder_is_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"2 images and no class folder .*--truth FILE.csv with lines key,label"):
        read_truth(images(tmp_path, "1.png", "2.png"), classes=CLASSES)


def test_an_image_beside_the_class_folders_has_no_label(tmp_path: Path) -> None:
    truth = read_truth(images(tmp_path, "cat/1.png", "stray.png"), classes=CLASSES)
    assert truth.labels == {"cat/1.png": 1}
    assert truth.n_unlabelled == 1
    assert truth.notes[-1] == "Images without a label, not scored: 1."


def test_the_test_part_is_scored_and_the_rest_is_outside(tmp_path: Path) -> None:
    data = images(tmp_path, "train/cat/1.png", "train/dog/2.png", "test/cat/3.png")
    keys = ["test/cat/3.png", "train/cat/1.png", "train/dog/2.png"]
    truth = read_truth(data, classes=CLASSES, keys=keys)
    assert truth.labels == {"test/cat/3.png": 1}
    assert (truth.root, truth.part, truth.prefix, truth.n_outside_part) == (data / "test", "test", "test/", 2)


def test_keys_may_be_relative_to_the_part(tmp_path: Path) -> None:
    data = images(tmp_path, "train/cat/1.png", "test/cat/3.png")
    truth = read_truth(data, classes=CLASSES, keys=["cat/3.png"])
    assert (truth.labels, truth.prefix, truth.n_outside_part) == ({"cat/3.png": 1}, "", 0)
    assert read_truth(data, classes=CLASSES).labels == truth.labels
    assert read_truth(data / "test", classes=CLASSES, keys=["cat/3.png"]).labels == truth.labels


def test_keys_whose_images_are_gone_are_placed_by_their_names(tmp_path: Path) -> None:
    data = images(tmp_path, "train/cat/1.png", "test/cat/3.png")
    assert read_truth(data, classes=CLASSES, keys=["test/dog/9.png", "train/dog/9.png"]).labels == {"test/dog/9.png": 0}
    assert read_truth(data, classes=CLASSES, keys=["dog/9.png"]).labels == {"dog/9.png": 0}


def test_split_all_takes_every_part_and_the_class_below_it(tmp_path: Path) -> None:
    data = images(tmp_path, "train/cat/1.png", "val/dog/2.png", "test/cat/3.png")
    truth = read_truth(data, classes=CLASSES, split="all")
    assert truth.labels == {"test/cat/3.png": 1, "train/cat/1.png": 1, "val/dog/2.png": 0}
    assert (truth.part, truth.root) == (None, data)


def test_a_run_of_another_part_has_nothing_to_score(tmp_path: Path) -> None:
    data = images(tmp_path, "train/cat/1.png", "test/cat/3.png")
    with pytest.raises(
        DataError, match=r"none of the run's 1 images lies in .*test .*'train/cat/1.png'.* --split NAME"
    ):
        read_truth(data, classes=CLASSES, keys=["train/cat/1.png"])
    with pytest.raises(DataError, match="the run has no images"):
        read_truth(data, classes=CLASSES, keys=[])


@pytest.mark.parametrize(
    "text",
    [
        "key,label\n1.png,cat\n2.png,dog\n",
        "1.png,cat\n2.png,dog",
        "\ufeffkey,label\r\n1.png,cat\r\n\r\n2.png,dog\r\n",
        '"1.png","cat"\n"2.png","dog"\n',
        "1.png;cat\n2.png;dog\n",
        "1.png\tcat\n2.png\tdog\n",
        "1.png cat\n2.png   dog\n",
        "\n1.png cat\n\n2.png dog\n",
        "label,width,filename\ncat,3,1.png\ndog,4,2.png\n",
        "./1.png,cat\n./2.png,dog\n",
    ],
)
def test_every_form_of_a_truth_file_is_read(tmp_path: Path, text: str) -> None:
    data = images(tmp_path / "data", "1.png", "2.png")
    truth = read_truth(data, classes=CLASSES, truth=truth_file(tmp_path, text))
    assert truth.labels == {"1.png": 1, "2.png": 0}


def test_a_truth_file_counts_what_it_has_too_much_and_too_little(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "1.png", "2.png", "3.png")
    truth = read_truth(data, classes=CLASSES, truth=truth_file(tmp_path, "1.png,cat\n8.png,dog\n9.png,fox\n"))
    assert (truth.labels, truth.n_unlabelled, truth.n_without_image) == ({"1.png": 1}, 2, 2)
    assert truth.notes[1:] == (
        "Images without a label, not scored: 2.",
        "Labels for images that the run does not have: 2.",
    )


def test_a_file_goes_before_the_folders(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "cat/1.png")
    assert read_truth(data, classes=CLASSES, truth=truth_file(tmp_path, "cat/1.png,dog")).labels == {"cat/1.png": 0}


def test_the_base_name_is_no_key(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "cat/1.png")
    with pytest.raises(
        DataError, match=r"none of its 1 keys is an image of .*: it has '1.png', the images have 'cat/1.png'"
    ):
        read_truth(data, classes=CLASSES, truth=truth_file(tmp_path, "1.png,dog"))


@pytest.mark.parametrize("keys", [["val/1.png", "train/2.png"], ["1.png"]])
@pytest.mark.parametrize("written", ["1.png", "val/1.png", "{data}/val/1.png", "val\\1.png"])
def test_keys_of_the_file_may_have_the_part_or_not(tmp_path: Path, keys: list[str], written: str) -> None:
    data = images(tmp_path / "data", "val/1.png", "train/2.png")
    path = truth_file(tmp_path, f"{written.format(data=data)},cat")
    assert read_truth(data, classes=CLASSES, truth=path, keys=keys).labels == {keys[0]: 1}


def test_integers_that_no_class_answers_to_want_truth_index(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "a.JPEG", "b.JPEG")
    val = truth_file(tmp_path, "a.JPEG 0\nb.JPEG 2\n", "val.txt")
    with pytest.raises(DataError, match=r"answers to 0, 2; all are integers. .* 0 to 2, give --truth-index"):
        read_truth(data, classes=CLASSES, truth=val)
    assert read_truth(data, classes=CLASSES, truth=val, truth_index=True).labels == {"a.JPEG": 0, "b.JPEG": 2}


def test_integers_are_names_where_the_classes_are_called_so(tmp_path: Path) -> None:
    data = images(tmp_path / "data", "a.png", "b.png")
    reversed_digits = tuple(reversed(DIGITS))
    assert read_truth(data, classes=reversed_digits, truth=truth_file(tmp_path, "a.png 3\nb.png 9")).labels == {
        "a.png": 6,
        "b.png": 0,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.png,3", "line 1: '3' is no position in the model's 3 classes, 0 to 2. Do they count from 1"),
        ("2.png,0\n1.png,-1", "line 2: '-1' is no position"),
        ("1.png,cat", "line 1: 'cat' is no position"),
    ],
)
def test_positions_out_of_range_are_errors(tmp_path: Path, text: str, message: str) -> None:
    data = images(tmp_path / "data", "1.png", "2.png")
    with pytest.raises(DataError, match=message):
        read_truth(data, classes=CLASSES, truth=truth_file(tmp_path, text), truth_index=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no labels in it; expected lines key,label"),
        ("key,label\n", "no labels in it"),
        ("1.png", "line 1 must have a key and a label, got '1.png'"),
        ("1.png,cat\n2.png,\n", "line 2 must have a key and a label, got '2.png' and ''"),
        ("1.png,cat\n1.png,dog\n", "'1.png' has the label 'cat' on line 1 and 'dog' on line 2"),
        ("1.png,cat,extra\n", "line 1 has 3 columns. Expected two, key and label, or a header that names them"),
        ("1.png,cat\n2.png,dog,x\n", "line 2 has 3 columns, expected 2"),
        ("a,key,label\n1,1.png\n", "line 2 has 2 columns, expected 3"),
        ('1.png,"cat\n', "is not CSV"),
        ("2.png,cat\n1.png,fox\n", "line 2: no class of the model answers to 'fox'"),
    ],
)
def test_what_is_wrong_with_a_truth_file_is_said(tmp_path: Path, text: str, message: str) -> None:
    data = images(tmp_path / "data", "1.png", "2.png")
    with pytest.raises(DataError, match=message):
        read_truth(data, classes=CLASSES, truth=truth_file(tmp_path, text))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["dog", "cat", "bird"]), min_size=1, max_size=8), st.permutations(CLASSES))
def test_the_order_of_the_classes_changes_positions_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, shown: list[str], classes: Sequence[ClassName]
) -> None:
    data = images(tmp_path_factory.mktemp("order"), *(f"{name}/{at}.png" for at, name in enumerate(shown)))
    labels = read_truth(data, classes=classes).labels
    assert {key: classes[at].name for key, at in labels.items()} == {key: key.partition("/")[0] for key in labels}
    assert len(labels) == len(shown)


def test_the_imagenet_photos_through_names_and_through_a_class_map(shared: Path) -> None:
    from cnnkit.data import read_class_map, read_labels

    models = shared / "models"
    by_wnid = read_truth(shared / "imagenet200", classes=read_labels(models / "imagenet_synset_words.txt").classes)
    by_words = read_truth(
        shared / "imagenet200",
        classes=read_labels(models / "imagenet_labels_1001.txt").classes,
        class_map=read_class_map(models / "imagenet_synset_words.txt"),
    )
    assert by_wnid.labels == by_words.labels
    assert len(by_wnid.labels) == 200
    assert sorted(by_wnid.labels.values()) == list(range(0, 1000, 5))
