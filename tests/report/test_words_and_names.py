"""Numbers and names as people read them."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.report import _words as words
from cnnkit.report._detection_facts import detection_sentences
from cnnkit.report._markdown import escape, table
from cnnkit.report._names import class_labels, data_name, meaning
from cnnkit.results import Figure
from cnnkit.spec import ClassName

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.985, "98.5 %"),
        (0.9995, "99.95 %"),
        (0.999999, ">99.99 %"),
        (0.000001, "<0.01 %"),
        (0.0123, "1.2 %"),
    ],
)
def test_percent(value, text):
    assert words.percent(value) == text.replace(" ", NBSP)


@settings(deadline=None, max_examples=100)
@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_an_end_that_was_not_reached_is_not_written(value):
    assert words.percent(value) not in (f"0{NBSP}%", f"0.0{NBSP}%", f"100{NBSP}%", f"100.0{NBSP}%")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (1.0001, "1.000"), (0.01234567, "0.01235"), (5200.4, "5,200"), (123456, "123,456")]
)
def test_plain_numbers(value, text):
    assert words.plain(value) == text


def test_a_figure_with_and_without_an_interval():
    assert words.measured(Figure(value=0.5, low=0.4, high=0.6, n=9)) == (
        f"50.0{NBSP}% (95{NBSP}% interval 40.0 to 60.0{NBSP}%)"
    )
    assert words.measured(Figure(value=1.5, n=9), share=False) == "1.500"


def test_counts_and_lists():
    assert words.counted(1, "image") == f"1{NBSP}image"
    assert words.counted(2000, "class", "classes") == f"2,000{NBSP}classes"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.bytes_in_words(120_000) == f"120{NBSP}kB"


def test_classes_of_one_name_are_told_apart():
    classes = [ClassName(name="crane", aliases=("n02012849",)), ClassName(name="crane"), ClassName(name="tench")]
    assert class_labels(classes) == ["crane (n02012849)", "crane (1)", "tench"]


@pytest.mark.parametrize(
    ("root", "part", "name"),
    [
        ("../../digits/test", "test", "test"),
        ("/data/photos/", None, "photos"),
        ("..", None, ".."),
        ("a", "val", "a (val)"),
    ],
)
def test_data_has_a_short_name(digits, root, part, name):
    digits.facts["data"] |= {"root": root, "part": part}
    assert data_name(digits.results) == name


def test_a_figure_that_is_not_known_keeps_its_name():
    assert meaning("some_new_figure").label == "some new figure"


def test_markdown_takes_no_markup_from_names():
    assert escape("<b>*x*|y\n[z](u)`") == r"&lt;b&gt;\*x\*&#124;y \[z\](u)\`"
    assert table(["a", "b"], [["x|y", "1"]]) == "| a | b |\n| --- | --- |\n| x&#124;y | 1 |"


def test_further_k_and_ties_are_worded_as_on_the_console() -> None:
    assert meaning("top3_error").label == "Error (top 3)"
    assert meaning("top3_error").text == "share of images whose class is not among the 3 best guesses"
    assert not meaning("top3_error").up
    well, badly = meaning("top1_accuracy_ties_best"), meaning("top5_accuracy_ties_worst")
    assert (well.label, well.share) == ("Accuracy (top 1), if ties fall well", True)
    assert badly.label == "Accuracy (top 5), if ties fall badly"


@pytest.mark.parametrize(
    ("small", "large", "said"),
    [
        ((0.1, 0.05, 0.15), (0.6, 0.5, 0.7), ["Small objects are found worst: AP 0.100, large ones 0.600."]),
        ((0.6, 0.5, 0.7), (0.1, 0.05, 0.15), ["Large objects are found worst: AP 0.100, small ones 0.600."]),
        ((0.4, 0.2, 0.55), (0.6, 0.5, 0.7), []),
        ((None, None, None), (0.6, 0.5, 0.7), []),
    ],
)
def test_the_size_that_is_found_worst_is_told_where_intervals_lie_apart(small, large, said):
    figures = {
        name: Figure(value=value, low=low, high=high, n=9)
        for name, (value, low, high) in (("coco_APs", small), ("coco_APl", large))
    }
    assert list(detection_sentences(SimpleNamespace(figures=figures, detection=None))) == said
