"""The page as a file: what it says, what it holds, and that it holds nothing else."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest

from cnnkit.report import write_report
from cnnkit.results import rows_schema

NBSP = "\u00a0"
VOID = {"meta", "input", "img", "option", "br"}


class Outline(HTMLParser):
    """Checks that elements nest, and gathers what a test asks about."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.scripts = 0

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [facts["id"]] if "id" in facts else []
        self.links += [facts[name] for name in ("href", "src") if name in facts]
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.scripts += tag == "script"
        assert "style" not in facts
        assert not [name for name in facts if name.startswith("on")]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    assert found.open == []
    return found


def written(digits, folder: Path, **options) -> str:
    return write_report(folder, digits.results, rows=digits.rows, images_root=digits.root, **options).read_text()


def test_it_says_the_accuracy_first(digits, tmp_path):
    page = written(digits, tmp_path)
    assert (
        f"<h1>digits is right on 83.1{NBSP}% of 897{NBSP}images (95{NBSP}% interval 80.5 to 85.4{NBSP}%)</h1>" in page
    )
    assert f"Most frequent confusion: 1 taken for 8, 18{NBSP}times" in page


def test_it_nests_and_names_each_thing_once(digits, tmp_path):
    found = outline(written(digits, tmp_path))
    assert len(set(found.ids)) == len(found.ids)
    assert found.headings[0] == 1
    assert max(b - a for a, b in zip(found.headings, found.headings[1:], strict=False)) == 1


def test_it_loads_nothing(digits, tmp_path):
    page = written(digits, tmp_path)
    found = outline(page)
    assert all(link.startswith(("#", "data:image/")) for link in found.links)
    assert found.scripts == 2
    assert "default-src &#39;none&#39;" in page
    assert "url(" not in page


def test_its_sections_are_linked(digits, tmp_path):
    found = outline(written(digits, tmp_path))
    wanted = {"summary", "figures", "mistakes", "confusion", "classes", "curves", "threshold", "calibration", "data"}
    assert wanted < {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)


def test_equal_input_gives_equal_bytes(digits, tmp_path):
    first, second = (written(digits, tmp_path / name) for name in ("a", "b"))
    assert first == second
    assert (tmp_path / "a/report.md").read_bytes() == (tmp_path / "b/report.md").read_bytes()


HOSTILE = "</script><img src=x onerror=alert(1)>"


def test_names_of_markup_stay_text(digits, tmp_path):
    digits.facts["classes"][3] = {"name": HOSTILE, "aliases": []}
    digits.facts["per_class"][3] |= {"name": HOSTILE}
    digits.facts["model"] |= {"name": "<b>model</b>"}
    digits.facts["warnings"] = ["<i>warning</i>"]
    keys = [f"<u>{key}" for key in digits.rows.column("key").to_pylist()]
    digits.rows = digits.rows.set_column(0, digits.rows.schema.field("key"), pa.array(keys))
    page = written(digits, tmp_path)
    assert outline(page).scripts == 2
    for tag in ("<img src=x", "<b>model", "<i>warning", "<u>"):
        assert tag not in page
        assert tag not in (tmp_path / "report.md").read_text()
    facts = json.loads(re.search(r'id="facts">(.*?)</script>', page, re.DOTALL)[1])
    assert facts["labels"][3] == HOSTILE


def test_bad_files_are_counted_and_named(digits, tmp_path):
    digits.facts["data"] |= {"n_bad": 1, "bad": {"corrupt": 1}}
    bad = {"key": "3/zz_bad.png", "digest": None, "label": 3, "predicted": None, "rank": None, "p": None}
    row = pa.Table.from_pylist([bad | {"confidence": None}], schema=rows_schema("classification"))
    digits.rows = pa.concat_tables([digits.rows, row])
    page = written(digits, tmp_path)
    assert f"1{NBSP}labelled image could not be read and is left out" in page
    assert "1 (corrupt 1)" in page
    assert '<td class="file">3/zz_bad.png</td>' in page
    assert f"The 1{NBSP}file that could not be read" in page


def test_without_pictures_the_page_says_why(digits, tmp_path):
    page = write_report(tmp_path, digits.results, rows=digits.rows, images_root=None).read_text()
    assert "No picture: the folder of the images was not given" in page
    assert "data:image/png" not in page


def test_slices_say_which_differ(digits, tmp_path):
    figure = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100, "method": "wilson"}
    rest = {"value": 0.9, "n": 797}
    digits.facts["slices"] = [
        {"by": "brightness", "value": "<dark>", "figure": figure, "rest": rest, "p_value": 1e-6},
        {"by": "brightness", "value": "bright", "figure": rest, "rest": figure, "p_value": 0.6},
    ]
    page = written(digits, tmp_path)
    assert "brightness: &lt;dark&gt;" in page
    assert page.count("differs from the rest") == 1
    assert "below 0.0001" in page
    assert "## Slices" in (tmp_path / "report.md").read_text()


def test_operating_points_and_calibration_are_said_in_words(digits, tmp_path):
    digits.facts["figures"]["ece"] = {"value": 0.05, "low": 0.03, "high": 0.07, "n": 897}
    page = written(digits, tmp_path)
    assert "On average it is surer than it is right" in page
    assert "dividing the logits by 1.200 fits these images best." in page
    assert f"95{NBSP}% of the answers are right from confidence 0.97 on; that answers 60.0{NBSP}% of the images" in page
    assert "none does" in page
    digits.facts["operating_points"][0] |= {"n": 12, "low": 0.757, "high": 1.0}
    assert f"of the images (12{NBSP}answers, 95{NBSP}% interval 75.7 to 100{NBSP}%)." in written(digits, tmp_path)
    digits.facts["figures"]["ece"] = {"value": 0.05, "low": 0.0, "high": 0.07, "n": 897}
    assert f"It may be as sure as it is right (calibration error 5.0{NBSP}%" in written(digits, tmp_path)
    digits.facts["operating_points"] = digits.facts["operating_points"][1:]
    assert f"No confidence on these images makes 99.9{NBSP}% of the answers right." in written(digits, tmp_path)


def test_a_detector_has_a_page(digits, tmp_path):
    classes = [{"name": "cat", "n": 12, "ap": 0.4}, {"name": "dog", "n": 20, "ap": 0.7}]
    digits.facts |= {
        "task": "detection",
        "classes": [{"name": each["name"]} for each in classes],
        "per_class": classes,
        "figures": {"coco_AP": {"value": 0.55, "low": 0.5, "high": 0.6, "n": 128, "method": "bootstrap"}},
        "confusion": None,
        "curves": {"pr": [{"index": at, "x": [0, 1], "y": [1, 0.5]} for at in range(2)]},
        "calibration": None,
        "protocol": {"name": "coco"},
    }
    digits.rows = rows_schema("detection").empty_table()
    page = written(digits, tmp_path)
    assert "<h1>digits: AP (COCO) 55.0" in page
    assert f"Weakest classes: cat (AP 0.400, 12{NBSP}objects)" in page
    assert "No false detection." in page
    outline(page)


def test_several_labels_an_image_have_a_page(digits, tmp_path):
    digits.facts |= {"multilabel": True, "confusion": None, "calibration": None}
    digits.facts["figures"] = {"exact_match_accuracy": {"value": 0.5, "n": 2}}
    columns = {"key": ["a", "b"], "digest": [None, None], "labels": [[1, 2], [3]], "predicted": [[1], [3]]}
    digits.rows = pa.table(columns).cast(rows_schema("classification", multilabel=True))
    page = written(digits, tmp_path)
    assert "Images with the most wrong labels: 1 of 1 with any." in page
    assert "fewer of all labels answered right" in page


def test_a_class_of_few_images_is_not_called_weak(digits, tmp_path):
    digits.facts["per_class"][4] |= {"n": 3, "recall": 0.0, "ap": 0.01}
    page = written(digits, tmp_path)
    assert (
        f"Weakest classes of those with 10{NBSP}images and more: 1 (56.0{NBSP}% of 91{NBSP}images found), 8 (" in page
    )
    assert f"1 of 10{NBSP}classes rests on fewer than 30 images" in page
    assert 'class="line faint" data-label="4"' in page


def test_curves_of_many_classes_wait_to_be_picked(digits, tmp_path):
    figures, curve = digits.facts["per_class"][0], {"x": [0, 1], "y": [1, 0]}
    digits.facts |= {
        "classes": [{"name": f"class {at}"} for at in range(70)],
        "per_class": [figures | {"name": f"class {at}"} for at in range(70)],
        "confusion": {"n_classes": 70, "cells": [(at, at, 5) for at in range(70)] + [(3, 60, 2)]},
        "curves": {"pr": [{"index": at, **curve} for at in range(70)]},
    }
    page = written(digits, tmp_path)
    assert page.count('class="line hidden"') == 65
    assert 'id="confusion-map"' in page
    assert "The 2 classes of the largest confusions, of 70." in page


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_results_without_rows_or_figures_have_a_page(digits, tmp_path, task):
    digits.facts |= {"task": task, "figures": {}, "confusion": None, "curves": {}, "calibration": None}
    digits.rows = rows_schema(task).empty_table()
    assert "<h1>digits: no figures</h1>" in written(digits, tmp_path)


def test_markdown_holds_the_same_facts(digits, tmp_path):
    written(digits, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert text.startswith(f"# digits is right on 83.1{NBSP}% of 897{NBSP}images")
    assert f"| Accuracy (top 1) | 83.1{NBSP}% | 80.5 to 85.4{NBSP}% | 897 | Wilson |" in text
    assert f"| 1 | 8 | 18 | 19.8{NBSP}% | 3 |" in text
    assert "abababab" in text
