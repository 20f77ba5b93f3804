"""Two detectors on the page of a comparison: counts, pictures with all boxes, images and classes that differ."""

import re

import cv2
import numpy as np
import pytest

from cnnkit.comparison import BOX_KINDS, ObjectChange, ObjectImage, ObjectPair, PairedBoxes
from cnnkit.report import ComparedModel, Comparison, DetectorPairing, write_comparison
from cnnkit.report._detector_pairs import detector_section, how

NBSP = "\u00a0"
LABELS = [str(at) for at in range(10)]
PNG = cv2.imencode(".png", np.full((40, 80, 3), 200, np.uint8))[1].tobytes()
HOSTILE = "<img src=x onerror=alert(1)>.png"


def image_of(key, n, found, only, false):
    counts = dict(zip(("first_found", "second_found"), found, strict=True))
    counts |= dict(zip(("only_first", "only_second"), only, strict=True))
    counts |= dict(zip(("first_false", "second_false"), false, strict=True))
    return {"key": key, "digest": None, "n": n, **counts}


IMAGES = [
    image_of("a.png", 3, (3, 1), (2, 0), (0, 1)),
    image_of("b.png", 2, (0, 1), (0, 1), (2, 0)),
    image_of("c.png", 1, (1, 1), (0, 0), (0, 4)),
]
CLASSES = [(3, (3, 1), (2, 0), (0, 1)), (3, (1, 2), (0, 1), (2, 4))]
BOXES = [
    ("a.png", "both", 0, np.nan, (0, 0, 8, 8)),
    ("a.png", "only_first", 0, np.nan, (20, 20, 40, 40)),
    ("a.png", "only_first", 0, np.nan, (50, 20, 60, 40)),
    ("a.png", "first_right", 0, 0.9, (21, 20, 40, 40)),
    ("a.png", "second_false", 8, 0.75, (60, 0, 80, 10)),
    ("b.png", "only_second", 8, np.nan, (0, 0, 30, 30)),
    ("b.png", "neither", 8, np.nan, (40, 0, 70, 30)),
    ("c.png", "second_false", -1, 0.5, (0, 0, 9, 9)),
]


@pytest.fixture
def pairing():
    key, kind, label, score, box = zip(*BOXES, strict=True)
    return DetectorPairing(
        ObjectPair(
            first="large",
            second="small",
            iou=0.5,
            first_confidence=0.25,
            second_confidence=0.5,
            n=6,
            both=2,
            only_first=2,
            only_second=1,
            neither=1,
            first_false=2,
            second_false=5,
            images=tuple(ObjectImage(**each) for each in IMAGES),
            classes=tuple(
                ObjectChange(
                    label=label, **{k: v for k, v in image_of("", *each).items() if k not in ("key", "digest")}
                )
                for label, each in zip((0, 8), CLASSES, strict=True)
            ),
        ),
        PairedBoxes(
            np.array(key),
            np.array([BOX_KINDS.index(each) for each in kind]),
            np.array(label),
            np.array(score),
            np.array(box, float),
        ),
    )


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    root.mkdir()
    for name in ("a", "b", "c"):
        (root / f"{name}.png").write_bytes(PNG)
    return root


@pytest.fixture
def comparison(digits, pairing):
    models = (ComparedModel("large", digits.results), ComparedModel("small", digits.results))
    return Comparison(models, ("large is better",), detectors=(pairing,))


def test_each_group_has_its_images_with_the_largest_difference_first(pairing, folder):
    groups = detector_section(pairing, 0, LABELS, folder, 1)["groups"]
    assert [(group.heading, [each.key for each in group.pictures]) for group in groups] == [
        ("large finds, small misses", ["a.png"]),
        ("small finds, large misses", ["b.png"]),
        ("Most false alarms of one alone", ["c.png", "b.png", "a.png"]),
    ]
    assert groups[0].caption == f"1{NBSP}image, those with the most such objects first."
    assert "those in which large and small differ most in the number of false alarms first" in groups[2].caption


def test_truth_and_both_models_boxes_are_on_the_picture(pairing, folder):
    first, second, false = detector_section(pairing, 0, LABELS, folder, 1)["groups"]
    drawn = str(first.pictures[0].overlay)
    kinds = ("both", "only_first", "first_right", "second_false")
    assert {kind: drawn.count(f'<rect class="{kind}"') for kind in BOX_KINDS} == dict.fromkeys(BOX_KINDS, 0) | dict(
        zip(kinds, (1, 2, 1, 1), strict=True)
    )
    assert drawn.count('<text class="only_first"') == 2
    assert ">8 0.75</text>" in drawn
    assert drawn.count("<text") == 3  # what both have needs no words
    assert first.pictures[0].caption.text == (
        f"large: 3 of 3{NBSP}objects and 0{NBSP}false alarms, small: 1 of 3{NBSP}objects and 1{NBSP}false alarm, "
        f"large alone: 0{NBSP}×{NBSP}2"
    )
    assert "small alone: 8" in second.pictures[0].caption.text
    assert ">another class 0.50</text>" in str(false.pictures[0].overlay)
    assert (first.pictures[0].caption.classes, false.pictures[0].caption.classes) == ((0, 8), ())


def test_the_page_says_how_and_counts(comparison, folder, tmp_path):
    page = write_comparison(tmp_path, comparison, images_root=folder).read_text().replace(NBSP, " ")
    assert how(comparison.detectors[0].objects).replace("'", "&#39;") in page
    assert "large from 0.25, small from 0.5." in page
    assert re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page)[:6] == [
        ("Both find", "2 of 6 objects (33.3 %)"),
        ("large alone finds", "2 of 6 objects (33.3 %)"),
        ("small alone finds", "1 of 6 objects (16.7 %)"),
        ("Neither finds", "1 of 6 objects (16.7 %)"),
        ("False alarms of large", "2"),
        ("False alarms of small", "5"),
    ]
    section = page[page.index('<section id="objects">') : page.index('<section id="provenance">')]
    rows = [re.findall(r">([^<]*)</t[hd]>", row) for row in re.findall(r'<tr><th scope="row">.*?</tr>', section)]
    assert rows == [
        ["a.png", "3", "3", "1", "2", "0", "0", "1"],
        ["b.png", "2", "0", "1", "0", "1", "2", "0"],
        ["c.png", "1", "1", "1", "0", "0", "0", "4"],
        ["0", "3", "3", "1", "2", "0", "0", "1", "−2"],
        ["8", "3", "1", "2", "0", "1", "2", "4", "+1"],
    ]
    assert section.count("<img ") == 5
    assert "object that large alone finds" in section


@pytest.mark.parametrize("moved", [False, True])
def test_without_pictures_images_are_told_by_name(comparison, tmp_path, moved):
    root = tmp_path / "images" if moved else None
    page = write_comparison(tmp_path, comparison, images_root=root).read_text()
    reason = "cannot be read now: No such file or directory" if moved else "the folder of the images was not given"
    assert f"No pictures: {reason}. The table names the images." in page
    assert "<img " not in page
    assert '<th scope="row">b.png</th>' in page


def test_models_that_find_the_same(digits, pairing, tmp_path):
    facts = pairing.objects.model_dump() | {"images": (), "classes": (), "only_first": 0, "only_second": 0}
    same = DetectorPairing(ObjectPair(**facts), pairing.boxes)
    models = (ComparedModel("large", digits.results), ComparedModel("small", digits.results))
    page = write_comparison(tmp_path, Comparison(models, ("same",), detectors=(same,)), images_root=None).read_text()
    assert "Both find the same objects in every image, with as many false alarms." in page
    assert page.count("No such image.") == 3


def test_markdown_has_counts_and_tables(comparison, tmp_path):
    write_comparison(tmp_path, comparison, images_root=None)
    text = (tmp_path / "report.md").read_text()
    assert "## Objects: large and small" in text
    assert f"- Both find: 2 of 6 objects (33.3{NBSP}%)" in text
    assert "| Image | Objects | large finds | small finds | large alone | small alone |" in text
    assert "| a.png | 3 | 3 | 1 | 2 | 0 | 0 | 1 |" in text
    assert "| Class | Objects |" in text


def test_names_of_markup_stay_text(comparison, pairing, folder, tmp_path):
    facts = pairing.objects.model_dump() | {"first": "<b>large</b>"}
    facts["images"] = [IMAGES[0] | {"key": HOSTILE}]
    (folder / HOSTILE).write_bytes(PNG)
    boxes = PairedBoxes(
        np.full(len(BOXES), HOSTILE), *(getattr(pairing.boxes, name) for name in ("kind", "label", "score", "box"))
    )
    changed = Comparison(comparison.models, ("x",), detectors=(DetectorPairing(ObjectPair(**facts), boxes),))
    page = write_comparison(tmp_path, changed, images_root=folder).read_text()
    assert "<b>large" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_in_a_browser_it_fits_filters_and_sorts(browser, comparison, folder, tmp_path, width, dark):
    browser.open(write_comparison(tmp_path, comparison, images_root=folder), width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    shown = "[...document.querySelectorAll('.picture:not([hidden]) small')].map((each) => each.textContent)"
    assert browser.evaluate(shown) == ["a.png", "b.png", "c.png", "b.png", "a.png"]
    browser.evaluate(
        "(() => { const at = document.querySelector('[data-gallery] input'); at.value = '0';"
        "at.dispatchEvent(new Event('input')); })()"
    )
    assert browser.evaluate(shown) == ["a.png", "a.png"]
    table = "document.querySelector('#objects table')"
    names = f"[...{table}.querySelectorAll('tbody th')].map((each) => each.textContent)"
    browser.evaluate(
        f"[...{table}.querySelectorAll('thead button')].find((at) => at.textContent == 'small: false alarms').click()"
    )
    assert browser.evaluate(names) in (["c.png", "a.png", "b.png"], ["b.png", "a.png", "c.png"])
    assert browser.complaints == []
