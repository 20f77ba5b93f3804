"""A detector's pictures: which are shown, and what is drawn on them."""

import cv2
import numpy as np
import pyarrow as pa
import pytest

from cnnkit.drawing import Thumbnail
from cnnkit.report import DrawnBoxes
from cnnkit.report._detections import groups_of_detections
from cnnkit.report._overlay import LEGEND, Mark, legend, overlay
from cnnkit.report.drawn import KINDS
from cnnkit.results import rows_schema

NBSP = "\u00a0"
PNG = cv2.imencode(".png", np.full((40, 80, 3), 200, np.uint8))[1].tobytes()
NAMES = ["cat", "dog"]


@pytest.fixture
def folder(tmp_path):
    for key in ("a.png", "b.png"):
        (tmp_path / key).write_bytes(PNG)
    return tmp_path


@pytest.fixture
def rows():
    return pa.table(
        {
            "key": ["a.png", "b.png", "c.png"],
            "digest": [None, None, None],
            "det_class": [[0, 1, 1], [], None],
            "det_score": [[0.5, 0.75, 0.9], [], None],
            "det_match": [[0b1, 0b0, 0b0], [], None],
            "det_ignore": [[0, 0, 0b1], [], None],
            "det_object": [[0, -1, -1], [], None],
            "det_box": [[[1, 0, 8, 8], [20, 20, 30, 30], [44, 4, 60, 30]], [], None],
            "truth_class": [[0], [1, 1], [0]],
            "truth_box": [[[0, 0, 8, 8]], [[0, 20, 30, 40], [40, 20, 70, 40]], [[0, 0, 1, 1]]],
        },
        schema=rows_schema("detection"),
    )


@pytest.fixture
def drawn():
    boxes = [
        (0, "found", 0, 0.5, (0, 0, 8, 8)),
        (0, "left_out", 1, np.nan, (40, 0, 80, 40)),
        (1, "missed", 1, np.nan, (0, 20, 30, 40)),
        (1, "missed", 1, 0.1, (40, 20, 70, 40)),
        (0, "right", 0, 0.5, (1, 0, 8, 8)),
        (0, "false", 1, 0.75, (20, 20, 30, 30)),
        (0, "passed", 1, 0.9, (44, 4, 60, 30)),
        (0, "false", 1, 0.2, (2, 30, 9, 39)),
    ]
    image, kind, label, score, box = zip(*boxes, strict=True)
    kinds = np.array([KINDS.index(each) for each in kind])
    return DrawnBoxes(np.array(image), kinds, np.array(label), np.array(score), np.array(box, float), confidence=0.3)


def test_the_worst_images_have_truth_and_detections_on_them(folder, rows, drawn):
    worst, _, _ = groups_of_detections(rows, NAMES, folder, drawn)
    assert [picture.caption.text for picture in worst.pictures] == [f"missed dog{NBSP}×{NBSP}2", "wrongly dog"]
    assert "detections from confidence 0.3 on: 2 of 2 with any" in worst.caption
    second = worst.pictures[1].overlay
    assert [second.count(f'<rect class="{kind}"') for kind in KINDS] == [1, 1, 1, 1, 0, 1]
    assert ">dog 0.75</text>" in second
    assert second.count("<text") == 1  # what is right needs no words
    assert "dog 0.20" not in second  # below the confidence
    assert worst.legend == legend(LEGEND)


def test_false_alarms_show_their_box_alone(folder, rows, drawn):
    _, false, missed = groups_of_detections(rows, NAMES, folder, drawn)
    (picture,) = false.pictures
    assert picture.caption.text == f"said dog 75.0{NBSP}%"
    assert picture.overlay.count("<rect") == 1
    assert 'class="false" x="90" y="90" width="45" height="45"' in picture.overlay
    assert [each.caption.text for each in missed.pictures] == [f"missed 2 of 2{NBSP}objects, there: dog"]
    assert missed.pictures[0].overlay.count("<rect") == 1  # the other one is found by something unsure


def test_without_boxes_the_pictures_are_bare(folder, rows):
    false, missed = groups_of_detections(rows, NAMES, folder, None)
    assert all(picture.overlay is None and picture.thumbnail for group in (false, missed) for picture in group.pictures)


def test_boxes_shrink_with_their_picture():
    image = Thumbnail("data:,", 720, 360, enlarge=False, scale=0.5)
    drawn = overlay([Mark("missed", (0, 100, 40, 160), "a long name of a class")], image)
    assert 'viewBox="0 0 360 180"' in drawn
    assert 'x="0" y="25" width="10" height="15"' in drawn
    assert '<text class="missed" x="2" y="22">' in drawn


def test_words_stay_on_the_picture():
    image = Thumbnail("data:,", 144, 288, enlarge=False)
    drawn = overlay([Mark("false", (130, 2, 140, 20), "kite 0.50")], image)
    assert '<text class="false" x="76.68" y="13">' in drawn


def test_names_of_markup_stay_text():
    drawn = overlay([Mark("false", (0, 0, 9, 9), "<script>")], Thumbnail("data:,", 10, 10, enlarge=False))
    assert "<script>" not in drawn
    assert drawn.count("&lt;script&gt;") == 2


def test_words_over_one_another_are_left_out():
    image = Thumbnail("data:,", 360, 180, enlarge=False)
    boxes = [
        ("missed", (10, 30, 20, 40), "cup"),
        ("missed", (12, 31, 40, 48), "bowl"),
        ("false", (60, 30, 70, 40), "cup"),
    ]
    drawn = overlay([Mark(kind, box, text) for kind, box, text in boxes], image)
    assert drawn.count("<rect") == 3
    assert ">cup</text>" in drawn
    assert ">bowl</text>" in drawn
    assert drawn.count("<text") == 2
