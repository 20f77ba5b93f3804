"""Which class answers to a name."""

import pytest

from cnnkit.data import ClassIndex
from cnnkit.errors import DataError
from cnnkit.spec import ClassName

CLASSES = (
    ClassName(name="tench", aliases=("n01440764", "tench, Tinca tinca")),
    ClassName(name="crane", aliases=("n02012849",)),
    ClassName(name="crane", aliases=("n03126707",)),
    ClassName(name="Käfer"),
)


def test_a_class_answers_to_its_name_and_its_aliases() -> None:
    index = ClassIndex(CLASSES)
    assert index.find("tench") == index.find("n01440764") == index.find("tench, Tinca tinca") == 0
    assert index.find("n03126707") == 2


def test_an_accent_may_be_written_in_one_character_or_two() -> None:
    assert ClassIndex(CLASSES).find("Ka\u0308fer") == 3


def test_a_name_that_two_classes_share_is_an_error_where_it_is_used() -> None:
    with pytest.raises(DataError, match=r"2 classes of the model answer to 'crane': 1 \('crane'\) and 2 \('crane'\)"):
        ClassIndex(CLASSES).find("crane")


def test_an_unknown_name_is_an_error_with_a_hint() -> None:
    with pytest.raises(
        DataError,
        match=r"no class of the model answers to 'tensch'; its 4 classes are tench, .* Did you mean 'tench'\?",
    ):
        ClassIndex(CLASSES).find("tensch")


def test_all_unknown_names_are_told_at_once() -> None:
    with pytest.raises(DataError, match=r"^folders: no class of the model answers to 'a', 'b', 'c', 'd', 'e', ...; "):
        ClassIndex(CLASSES).find_all("abcdefg", where="folders")


def test_a_class_map_gives_other_names() -> None:
    index = ClassIndex(CLASSES, {"fish": "tench", "beetle": "Käfer", "n02012849": "n03126707", "bird": "no such"})
    assert index.find_all(["fish", "beetle", "tench"]) == {"fish": 0, "beetle": 3, "tench": 0}
    assert index.find("n02012849") == 2  # the map goes before the model's own aliases
    assert not index.answers("bird")


def test_a_class_map_to_all_words_finds_the_class_that_has_the_first() -> None:
    assert ClassIndex([ClassName(name="tench")], {"n01440764": "tench, Tinca tinca"}).find("n01440764") == 0


def test_an_alias_equal_to_the_name_is_one_answer() -> None:
    assert ClassIndex([ClassName(name="a", aliases=("a",))]).find("a") == 0


def test_names_with_commas_are_told_apart_in_a_list() -> None:
    classes = [ClassName(name="tench, Tinca tinca"), ClassName(name="owl")]
    with pytest.raises(DataError, match=r"its 2 classes are 'tench, Tinca tinca', owl\."):
        ClassIndex(classes).find("fox")
