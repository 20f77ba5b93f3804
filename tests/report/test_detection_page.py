"""A detector's page: curves, kinds of error, confusions with background, what was odd about the labels."""

import re

import numpy as np
import pytest

from cnnkit.evaluation import evaluate

NBSP = "\u00a0"


@pytest.fixture
def page(make_box_run, tmp_path):
    """The page of a run on 30 pictures that were never there, with objects of two classes, found or not."""
    rng = np.random.default_rng(0)
    lines, answers = ["key,class,x1,y1,x2,y2"], {}
    for at in range(30):
        x, y = rng.integers(0, 50, 2).tolist()
        name, other = ("cat", "dog") if at % 2 else ("dog", "cat")
        lines.append(f"{at:02d}.png,{name},{x},{y},{x + 40},{y + 40}")
        shift = at % 5 * 4
        answers[f"{at:02d}.png"] = [
            (other if at % 7 == 0 else name, 0.9 - at / 100, (x + shift, y, x + 40 + shift, y + 40)),
            (name, 0.2, (x, y, x + 5, y + 5)),
        ]
    lines.append("99.png,,,,,")
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    run = make_box_run(answers, ["cat", "dog", "bird"])
    evaluate(run, tmp_path / "boxes.csv", tmp_path / "out", protocol="all")
    return tmp_path / "out"


def test_the_page_of_a_detector(page):
    text = (page / "report.html").read_text()
    assert "<h1>tiny: AP (COCO) " in text
    assert "Detections from confidence 0.6" in text
    assert "Most frequent kind of error from there on: " in text
    for heading in (
        "Kinds of error",
        "Most mistakes",
        "Surest false detections",
        "Most missed",
        "How well do the boxes",
    ):
        assert heading in text
    for name in ("pr-curve", "pr-75-curve", "overlaps", "f1-curve", "threshold-curve"):
        assert f'id="{name}"' in text
    assert "All classes, and the background." in text
    assert "cat predicted as background" in text
    assert "background predicted as dog" in text
    assert "Labelled images that are not among those found or run, not scored" in text
    assert "AP (Ultralytics)" in text
    assert f"30{NBSP}objects" in text
    assert "<dt>Truth</dt><dd>boxes.csv (from this page: ../boxes.csv)</dd>" in text


def test_kinds_of_error_stand_in_a_table(page):
    text = (page / "report.html").read_text()
    rows = re.findall(r'<tr><th scope="row">(\w+)<small>[^<]*</small></th><td class="number">(\d+)</td>', text)
    kinds = {"missed", "background", "classification", "localisation", "both", "duplicate"}
    assert {kind for kind, _ in rows} == kinds
    assert [int(n) for _, n in rows] == sorted((int(n) for _, n in rows), reverse=True)


def test_markdown_tells_of_objects(page):
    text = (page / "report.md").read_text()
    assert "| AP50 (COCO) |" in text
    assert "Objects to find: 30" in text
    assert "Detections: 60" in text


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_the_page_works_in_a_browser(browser, page, width, dark):
    browser.open(page / "report.html", width=width, dark=dark)
    type_into = (
        "((selector, text) => {{ const at = document.querySelector(selector); at.value = text;"
        "at.dispatchEvent(new Event('input')); }})('{}', 'cat')"
    )
    browser.evaluate(type_into.format("[data-confusion] input"))
    told = browser.evaluate("document.querySelector('[data-confusion] output').textContent")
    assert re.match(r"cat: \d+ of 15 right; taken for (background|dog)", told)
    browser.evaluate(type_into.format("[data-threshold] input[type=search]"))
    assert "of 15 objects" in browser.evaluate("document.querySelector('[data-threshold] output').textContent")
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.complaints == []


@pytest.mark.parametrize(
    "answers", [{"a.png": []}, {"a.png": [("cat", 0.9, (0, 0, 9, 9))]}], ids=["nothing", "one box"]
)
@pytest.mark.parametrize("objects", ["a.png,,,,,", "a.png,cat,0,0,9,9"], ids=["empty", "one object"])
@pytest.mark.parametrize("protocol", ["coco", "voc12", "all"])
def test_next_to_nothing_has_a_page(make_box_run, tmp_path, answers, objects, protocol):
    (tmp_path / "boxes.csv").write_text(f"key,class,x1,y1,x2,y2\n{objects}\n")
    results = evaluate(
        make_box_run(answers, ["cat"]), tmp_path / "boxes.csv", tmp_path / "out", protocol=protocol, tables=True
    )
    page = (tmp_path / "out" / "report.html").read_text()
    assert "What was scored" in page
    right = answers["a.png"] and "cat" in objects
    name = "voc12_AP" if protocol == "voc12" else "coco_AP"
    assert results.figures[name].value == (pytest.approx(float(bool(right))) if "cat" in objects else None)
