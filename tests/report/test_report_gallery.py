"""Which images are shown, and what is said where one cannot be."""

import os
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from cnnkit.data import path_of_key
from cnnkit.report._gallery import groups_of_label_sets, least_sure, worst_mistakes
from cnnkit.report._outcomes import outcomes_from_rows
from cnnkit.report._thumbnails import Wanted, thumbnails

PNG = cv2.imencode(".png", np.full((4, 4, 3), 200, np.uint8))[1].tobytes()


def reason(root: Path | None, key: str, digest: bytes | None = None) -> str:
    [(image, text)] = thumbnails([Wanted(key, digest)], root)
    assert (image is None) == bool(text)
    return text


def test_mistakes_come_surest_first_and_the_least_sure_from_below(digits):
    outcomes = outcomes_from_rows(digits.rows)
    worst = worst_mistakes(outcomes)
    sure = outcomes.confidence[worst[:60]]
    assert (np.diff(sure) <= 0).all()
    assert sure[0] == outcomes.confidence[outcomes.wrong].max()
    unsure = least_sure(outcomes, besides=worst)
    assert len(unsure) == 40
    assert not set(unsure) & set(worst)
    rest = np.setdiff1d(np.arange(len(outcomes.label)), worst)
    assert sorted(outcomes.confidence[unsure]) == sorted(outcomes.confidence[rest])[:40]


def test_each_class_has_its_own_worst_mistakes(digits):
    outcomes = outcomes_from_rows(digits.rows)
    worst = worst_mistakes(outcomes)
    wrong = np.bincount(outcomes.label[outcomes.wrong], minlength=10)
    shown = np.bincount(outcomes.label[worst], minlength=10)
    assert (shown >= np.minimum(wrong, 2)).all()


def test_a_picture_that_is_as_it_was_is_shown(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    assert reason(tmp_path, "a.png", sha256(PNG).digest()) == ""


def test_a_missing_picture_says_why(tmp_path):
    (tmp_path / "changed.png").write_bytes(PNG)
    (tmp_path / "broken.png").write_bytes(PNG[:40])
    assert reason(None, "a.png") == "the folder of the images was not given"
    assert reason(tmp_path, "gone.png") == "cannot be read now: No such file or directory"
    assert reason(tmp_path, "changed.png", bytes(32)) == "the file has changed since it was scored"
    assert reason(tmp_path, "broken.png")
    for key in ("../secret.png", "/etc/passwd", "a/../../b.png"):
        assert reason(tmp_path, key) == "its path leaves the folder of the images"


def test_a_name_that_is_not_utf8_is_found(tmp_path):
    raw = os.fsencode(tmp_path) + b"/\xff\xe9.png"
    Path(os.fsdecode(raw)).write_bytes(PNG)
    assert reason(tmp_path, r"\xff\xe9.png") == ""


def test_a_backslash_in_a_name_is_no_escape(tmp_path):
    (tmp_path / r"\xffa.png").write_bytes(PNG)
    assert reason(tmp_path, r"\xffa.png") == ""


def test_one_file_may_be_the_root(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    assert path_of_key(tmp_path / "a.png", "a.png") == tmp_path / "a.png"


def test_the_page_stays_small(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    one = len(thumbnails([Wanted("a.png", None)], tmp_path)[0][0].source)
    found = thumbnails([Wanted("a.png", None)] * 3, tmp_path, limit=2 * one)
    assert [text for _, text in found] == ["", "", "left out to keep the page small"]


def test_label_sets_show_what_was_missed_and_what_was_added():
    rows = pa.table(
        {
            "key": ["a", "b", "c", "d"],
            "digest": pa.nulls(4, pa.binary(32)),
            "labels": [[0, 1], [2], [0], None],
            "predicted": [[1, 2], [2], None, [1]],
        }
    )
    [group] = groups_of_label_sets(rows, ["cat", "dog", "cow"], None)
    assert [picture.key for picture in group.pictures] == ["a"]
    assert group.pictures[0].caption.text == "missed cat, wrongly cow"
    assert group.pictures[0].caption.classes == (0, 2)


@pytest.mark.parametrize("name", ["<b>.png", 'a" onerror="x.png', "ü ñ.png"])
def test_any_name_is_found(tmp_path, name):
    (tmp_path / name).write_bytes(PNG)
    assert reason(tmp_path, name) == ""
