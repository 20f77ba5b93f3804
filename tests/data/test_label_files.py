"""Label files and class maps, in every form they come in."""

import json
import os
from pathlib import Path

import pytest

from cnnkit.data import Labels, read_class_map, read_labels
from cnnkit.errors import DataError
from cnnkit.spec import ClassName


def plain(*names: str) -> tuple[ClassName, ...]:
    return tuple(ClassName(name=name) for name in names)


@pytest.mark.parametrize(
    ("name", "text", "classes"),
    [
        ("l.txt", "cat\ndog\n", plain("cat", "dog")),
        ("l.txt", "\ufeffcat\r\ndog\r\n\r\n", plain("cat", "dog")),
        ("l.txt", "traffic light\nstop, sign\n", plain("traffic light", "stop, sign")),
        ("l.txt", "Käfer\n", plain("Käfer")),
        ("l.json", '["cat", "dog"]', plain("cat", "dog")),
        ("l.json", '{"1": "dog", "0": "cat"}', plain("cat", "dog")),
        ("l.json", '{"dog": 1, "cat": 0}', plain("cat", "dog")),
        ("l.json", '{"0": ["n01440764", "tench"]}', (ClassName(name="tench", aliases=("n01440764",)),)),
    ],
)
def test_every_form_is_read(tmp_path: Path, name: str, text: str, classes: tuple[ClassName, ...]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert read_labels(tmp_path / name) == Labels(classes)


def test_synset_lines_give_the_wnid_and_the_words_as_aliases(tmp_path: Path) -> None:
    lines = [
        "n01440764 tench, Tinca tinca",
        "n03710637 maillot",
        "n03710721 maillot, tank suit",
        "n04266014 space shuttle",
    ]
    (tmp_path / "l.txt").write_text("\n".join(lines))
    assert [(entry.name, entry.aliases) for entry in read_labels(tmp_path / "l.txt").classes] == [
        ("tench", ("n01440764", "tench, Tinca tinca")),
        ("maillot", ("n03710637",)),  # shares its first word, so the words stay whole
        ("maillot, tank suit", ("n03710721",)),
        ("space shuttle", ("n04266014",)),
    ]


@pytest.mark.parametrize("text", ["background\ncat\ndog", "Background\nn01440764 tench\nn01443537 goldfish"])
def test_a_first_line_background_is_no_class(tmp_path: Path, text: str) -> None:
    (tmp_path / "l.txt").write_text(text)
    labels = read_labels(tmp_path / "l.txt")
    assert labels.background
    assert len(labels.classes) == 2


def test_background_elsewhere_or_alone_is_a_class(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("cat\nbackground")
    assert read_labels(tmp_path / "l.txt") == Labels(plain("cat", "background"))
    (tmp_path / "l.txt").write_text("background")
    assert read_labels(tmp_path / "l.txt") == Labels(plain("background"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.txt", "", "empty; a label file has one class name a line"),
        ("l.txt", "\n \n", "empty"),
        ("l.txt", "cat\n\ndog\n", "line 2 is blank, so every class after it would be one place off"),
        ("l.json", "[", "not JSON"),
        ("l.json", "[]", "expected a JSON list of names or an object"),
        ("l.json", '"cat"', "expected a JSON list of names"),
        ("l.json", '["cat", 3]', "class 1 must be a name or .wnid, name., got 3"),
        ("l.json", '["cat", " "]', "class 1 must be a name"),
        ("l.json", '{"1": "cat", "2": "dog"}', "indices must be 0 to 1, each once; got 1, 2"),
        ("l.json", '{"cat": 0, "dog": 0}', "indices must be 0 to 1, each once; got 0"),
        ("l.json", '{"one": "cat"}', "indices must be 0 to 0, each once; got one"),
    ],
)
def test_what_is_wrong_with_a_label_file_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_labels(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_bytes(b"cat\n\xff\xfe\n")
    with pytest.raises(DataError, match="not UTF-8 text at byte 4"):
        read_labels(tmp_path / "l.txt")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_labels(tmp_path / "missing.txt")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "pairs"),
    [
        ("m.txt", "n01440764 tench, Tinca tinca\nn1 cat\n", {"n01440764": "tench, Tinca tinca", "n1": "cat"}),
        ("m.txt", "\ufeffa\tone\n\nb   two words \n", {"a": "one", "b": "two words"}),
        ("m.csv", "folder,name\nmy cats,cat\n", {"my cats": "cat"}),
        ("m.csv", '"a,b","c ""d"""\r\n', {"a,b": 'c "d"'}),
        ("m.csv", "a;b\n", {"a": "b"}),
        ("m.json", '{"a": "b"}', {"a": "b"}),
        ("m.json", '{"0": ["n01440764", "tench"]}', {"n01440764": "tench"}),
        ("m.txt", "a one\na one\n", {"a": "one"}),
    ],
)
def test_every_form_of_a_class_map_is_read(tmp_path: Path, name: str, text: str, pairs: dict[str, str]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert read_class_map(tmp_path / name) == pairs


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.txt", "", "empty; a class map has lines `folder name`"),
        ("m.txt", "a one\nb\n", "entry 2 must be a folder and a class name, got .'b'."),
        ("m.txt", "a one\na two\n", "maps 'a' to 'one' and to 'two'"),
        ("m.csv", "a,b,c\n", "entry 1 must be a folder and a class name"),
        ("m.csv", 'a,"b\n', "line 1 is not CSV"),
        ("m.json", "[1]", "expected a JSON object .folder: name., got list"),
        ("m.json", '{"a": 1}', "entry a must be a folder and a class name"),
    ],
)
def test_what_is_wrong_with_a_class_map_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_class_map(tmp_path / name)


def test_imagenets_files(shared: Path) -> None:
    synsets = read_labels(shared / "models" / "imagenet_synset_words.txt")
    assert len(synsets.classes) == 1000
    assert not synsets.background
    assert synsets.classes[0] == ClassName(name="tench", aliases=("n01440764", "tench, Tinca tinca"))
    words = read_labels(shared / "models" / "imagenet_labels_1001.txt")
    assert words.background
    whole = [entry.aliases[1] if len(entry.aliases) > 1 else entry.name for entry in synsets.classes]
    assert [entry.name for entry in words.classes] == whole
    mapped = read_class_map(shared / "models" / "imagenet_synset_words.txt")
    assert [mapped[entry.aliases[0]] for entry in synsets.classes] == whole


def test_a_class_index_as_keras_has_it(tmp_path: Path) -> None:
    index = {str(at): [f"n{at:08d}", f"thing_{at}"] for at in range(12)}
    (tmp_path / "imagenet_class_index.json").write_text(json.dumps(index))
    classes = read_labels(tmp_path / "imagenet_class_index.json").classes
    assert classes[11] == ClassName(name="thing_11", aliases=("n00000011",))


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "names")
    with pytest.raises(DataError, match="a pipe, which can be read only once"):
        read_labels(tmp_path / "names")
