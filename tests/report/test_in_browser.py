"""The page in a headless Chromium: nothing is complained of, and what the script adds does what it says."""

import copy
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from cnnkit.report import _words, write_comparison, write_report

HOSTILE = "</script><img src=x onerror=document.title='hacked'>"
TEXT = "document.querySelector({!r}).textContent"


@pytest.fixture(scope="module")
def page(digits_once, tmp_path_factory) -> Path:
    """Class 3 and every file bear names of markup."""
    facts = copy.deepcopy(digits_once.facts)
    facts["classes"][3] = {"name": HOSTILE, "aliases": []}
    facts["per_class"][3] |= {"name": HOSTILE}
    keys = [f"{HOSTILE}/{key}" for key in digits_once.rows.column("key").to_pylist()]
    rows = digits_once.rows.set_column(0, digits_once.rows.schema.field("key"), pa.array(keys))
    scored = copy.copy(digits_once)
    scored.facts = facts
    return write_report(tmp_path_factory.mktemp("page"), scored.results, rows=rows, images_root=digits_once.root)


@pytest.fixture
def opened(browser, page):
    browser.open(page)
    yield browser
    assert browser.complaints == []


def type_into(browser, selector: str, text: str) -> None:
    browser.evaluate(
        f"(() => {{ const at = document.querySelector({json.dumps(selector)}); at.value = {json.dumps(text)};"
        "at.dispatchEvent(new Event('input')); })()"
    )


def percent(value: float) -> str:
    return _words.percent(value).replace("\u00a0", " ")


def count(browser, selector: str) -> int:
    return browser.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_opens_without_a_complaint_and_fits_the_window(browser, page, width, dark):
    browser.open(page, width=width, dark=dark)
    assert browser.complaints == []
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(15, 20, 25)" if dark else "rgb(255, 255, 255)")


def test_names_of_markup_stay_text(opened):
    assert opened.evaluate("document.title") == "digits on digits"
    assert count(opened, "img[src=x]") == 0
    names = opened.evaluate(
        "[...document.querySelectorAll('#class-table tbody th')].map((each) => each.firstChild.data)"
    )
    assert HOSTILE in names
    type_into(opened, "[data-confusion] input", HOSTILE)
    assert HOSTILE in opened.evaluate(TEXT.format("[data-confusion] output"))
    assert count(opened, "img[src=x]") == 0


@pytest.mark.parametrize(("label", "row"), [("", None), ("8", 8)])
def test_the_threshold_moves_precision_and_recall_together(opened, digits_once, label, row):
    labels, predicted, confidence = (
        digits_once.rows.column(name).to_numpy() for name in ("label", "predicted", "confidence")
    )
    type_into(opened, "[data-threshold] [type=search]", label)
    for step in ("0", "30", "60"):
        type_into(opened, "[type=range]", step)
        said = opened.evaluate(TEXT.format("[data-threshold] output"))
        threshold = float(re.search(r"from confidence ([\d.]+):", said)[1])
        kept = (confidence >= threshold) & ((predicted == row) | (row is None))
        n, right = int(kept.sum()), int((kept & (labels == predicted)).sum())
        of = len(labels) if row is None else int((labels == row).sum())
        assert f"precision {percent(right / n)} (" in said
        assert f"recall {percent(right / of)}." in said
        assert said.endswith(f"{n} answered, {right} of them right, of {of} images.")


def test_the_threshold_says_its_interval_and_what_it_does_not_know(opened):
    said = TEXT.format("[data-threshold] output")
    assert "precision 83.1 % (80.5 % to 85.4 %)" in opened.evaluate(said)
    type_into(opened, "[data-threshold] [type=search]", "no such class")
    assert "All classes (no class has that name)" in opened.evaluate(said)


def test_a_column_sorts_both_ways(opened):
    cells = "[...document.querySelectorAll('#class-table tbody td:nth-child(2)')].map((each) => +each.textContent)"
    button = "#class-table thead th:nth-child(2) button"
    opened.evaluate(f"document.querySelector('{button}').click()")
    assert opened.evaluate(cells) == sorted(opened.evaluate(cells), reverse=True)
    assert opened.evaluate(f"document.querySelector('{button}').parentElement.ariaSort") == "descending"
    opened.evaluate(f"document.querySelector('{button}').click()")
    assert opened.evaluate(cells) == sorted(opened.evaluate(cells))


def test_classes_are_found_by_a_part_of_their_name(opened):
    type_into(opened, "[data-filter] input", "IMG")
    assert count(opened, "#class-table tbody tr:not([hidden])") == 1
    assert opened.evaluate(TEXT.format("[data-filter] output")) == "1 of 10"


def test_pictures_are_filtered_by_class(opened):
    whole = count(opened, ".picture")
    type_into(opened, "[data-gallery] input", "8")
    shown = opened.evaluate(
        "[...document.querySelectorAll('.picture:not([hidden])')].map((each) => each.dataset.classes.split(' '))"
    )
    assert 0 < len(shown) < whole
    assert all("8" in classes for classes in shown)
    assert opened.evaluate("[...document.querySelectorAll('#mistakes details')].every((each) => each.open)")
    type_into(opened, "[data-gallery] input", "")
    assert count(opened, ".picture:not([hidden])") == whole


def test_the_arrow_keys_read_values_off_a_curve_and_plus_zooms(opened):
    chart = "document.getElementById('pr-curve')"
    opened.evaluate(f"{chart}.focus()")
    opened.press("ArrowRight")
    assert opened.evaluate(TEXT.format("#reading")).startswith("8: Recall ")
    opened.press("ArrowDown")
    assert opened.evaluate(TEXT.format("#reading")).startswith("5: Recall ")
    before = opened.evaluate(f"{chart}.querySelector('.tick').textContent")
    opened.press("+")
    opened.press("+")
    assert opened.evaluate(f"{chart}.querySelector('.plot').getAttribute('viewBox')") != "0 0 328 242"
    opened.press("0")
    assert opened.evaluate(f"{chart}.querySelector('.plot').getAttribute('viewBox')") == "0 0 328 242"
    assert opened.evaluate(f"{chart}.querySelector('.tick').textContent") == before
    opened.evaluate(f"{chart}.blur()")
    assert opened.evaluate("document.getElementById('reading').hidden")


def test_a_faint_curve_can_be_picked(opened):
    type_into(opened, "[data-pick=pr-curve] input", "0")
    assert count(opened, "#pr-curve .chosen") == 1
    assert opened.evaluate(TEXT.format("[data-pick=pr-curve] output")) == "0"
    type_into(opened, "[data-pick=pr-curve] input", "")
    assert count(opened, "#pr-curve .chosen") == 0


def test_a_class_is_looked_at_among_those_it_is_taken_for(opened):
    cells = count(opened, "#grid .cell")
    type_into(opened, "[data-confusion] input", "1")
    said = opened.evaluate(TEXT.format("[data-confusion] output"))
    assert said.startswith("1: 51 of 91 right; taken for 8 (18), 5 (9), 9 (7); others taken for it: 8 (3).")
    assert opened.evaluate("document.querySelector('#grid .name').textContent").startswith("1")
    opened.evaluate("document.querySelector('[data-confusion] button').click()")
    assert count(opened, "#grid .cell") == cells


def test_shares_replace_counts_without_the_script(opened):
    shown = "getComputedStyle(document.querySelector('#grid .cell .{}')).visibility"
    assert opened.evaluate(shown.format("count")) == "visible"
    opened.evaluate("document.querySelector('input[value=share]').click()")
    assert opened.evaluate(shown.format("count")) == "hidden"
    assert opened.evaluate(shown.format("share")) == "visible"


def test_what_sorts_a_table_has_a_name(browser, page):
    browser.open(page)
    names = browser.evaluate("[...document.querySelectorAll('thead button')].map((each) => each.textContent)")
    assert len(names) > 10
    assert all(names)
    heads = (
        "[...document.querySelectorAll('#slice-table thead th')].map((each) => each.querySelector('button') !== null)"
    )
    assert False in browser.evaluate(heads)  # the drawn intervals are no column to sort by
    rows = "[...document.querySelectorAll('#slice-table tbody tr')].map((row) => +row.cells[5].dataset.value)"
    browser.evaluate("document.querySelector('#slice-table thead th:nth-child(6) button').click()")
    found = browser.evaluate(rows)
    assert found == sorted(found, reverse=True)


def test_hints_in_fields_can_be_read_in_the_dark(browser, page):
    browser.open(page, dark=True)
    colour = "getComputedStyle(document.querySelector('input[type=search]'), '::placeholder').color"
    assert browser.evaluate(colour) == browser.evaluate("getComputedStyle(document.querySelector('footer')).color")


def test_a_thousand_classes_stay_usable(browser, digits, tmp_path):
    n = 1000
    figures = digits.facts["per_class"][0]
    cells = [(at, at, 40) for at in range(n)] + [(at, (at + 1) % n, 3) for at in range(n)] + [(700, 20, 9)]
    digits.facts |= {
        "classes": [{"name": f"class {at}"} for at in range(n)],
        "per_class": [figures | {"name": f"class {at}"} for at in range(n)],
        "confusion": {"n_classes": n, "cells": sorted(cells)},
        "curves": {"pr": [{"index": at, "x": [0, 1], "y": [1, 0]} for at in range(n)]},
    }
    browser.open(write_report(tmp_path, digits.results, rows=digits.rows, images_root=digits.root))
    browser.evaluate("document.getElementById('confusion-map').focus()")
    browser.press("ArrowRight")
    assert browser.evaluate(TEXT.format("#reading")) == "class 700 taken for class 20: 9 of its images"
    browser.press("Enter")
    assert browser.evaluate(TEXT.format("[data-confusion] output")).startswith("class 700: 40 of 52 right")
    type_into(browser, "[data-confusion] input", "class 999")
    assert browser.evaluate(TEXT.format("[data-confusion] output")).startswith("class 999: 40 of 43 right")
    assert count(browser, "#grid .cell") == 5
    assert browser.complaints == []


def test_the_comparison_opens_and_filters(browser, compared, digits_once, tmp_path):
    browser.open(write_comparison(tmp_path, compared, images_root=digits_once.root))
    type_into(browser, "[data-gallery] input", "8")
    assert 0 < count(browser, ".picture:not([hidden])") < count(browser, ".picture")
    assert browser.complaints == []


def test_complaints_are_heard(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text("<script>console.error('one'); fetch('http://example.invalid/'); throw new Error('two')</script>")
    browser.open(page)
    heard = " ".join(browser.complaints)
    for part in ("one", "two", "asked for http://example.invalid/"):
        assert part in heard
