"""The page that compares models."""

import dataclasses
import re

import pytest

from cnnkit.report import ComparedModel, Comparison, write_comparison
from cnnkit.report._comparison import between, points

NBSP = "\u00a0"


def test_it_says_who_is_better_and_shows_the_flips(compared, digits, tmp_path):
    page = write_comparison(tmp_path, compared, images_root=digits.root).read_text()
    assert "<h1>whole is better than upper half" in page
    assert "whole is right, upper half is wrong" in page
    assert "42 images of 164, the surest wrong answers first." in page.replace(NBSP, " ")
    assert "upper half: sees less" in page
    assert f"−12.82{NBSP}points" in page
    assert f"623 of 897 (69.5{NBSP}%)" in page
    assert "Not beaten in both: whole and upper half." in page


def test_flips_are_sorted_by_how_sure_the_wrong_answer_was(compared, digits, tmp_path):
    page = write_comparison(tmp_path, compared, images_root=None).read_text()
    group = page[page.index('id="flips-0-first"') : page.index('id="flips-0-second"')]
    sure = [float(each) for each in re.findall(r"upper half:</i> <b>\d</b> <i>([\d.]+)", group)]
    assert len(sure) == 42
    assert sure == sorted(sure, reverse=True)


def test_markdown_holds_the_table(compared, tmp_path):
    write_comparison(tmp_path, compared, images_root=None)
    text = (tmp_path / "report.md").read_text()
    assert text.startswith("# whole is better than upper half")
    assert f"| whole | 83.1{NBSP}% (80.5 to 85.4{NBSP}%)" in text
    assert "only whole 164, only upper half 49" in text


def test_names_of_markup_stay_text(compared, tmp_path):
    hostile = dataclasses.replace(compared.models[0], name="<script>x</script>", notes=("<b>note</b>",))
    changed = Comparison((hostile, compared.models[1]), ("<i>sentence</i>",), pairings=compared.pairings)
    page = write_comparison(tmp_path, changed, images_root=None).read_text()
    assert page.count("<script") == 2
    assert "<i>sentence" not in page
    assert "<b>note" not in page


def test_one_model_is_a_page_of_its_figures(digits, tmp_path):
    page = write_comparison(tmp_path, Comparison((ComparedModel("a", digits.results),), ()), images_root=None)
    assert "<h1>a compared</h1>" in page.read_text()


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_models_need_names_of_their_own(digits, tmp_path, names):
    models = tuple(ComparedModel(name, digits.results) for name in names)
    with pytest.raises(ValueError, match=re.escape(f"models to compare need names of their own, got {names}")):
        write_comparison(tmp_path, Comparison(models, ()), images_root=None)


def test_differences_are_points_not_percent():
    assert points(0.012, share=True) == f"+1.20{NBSP}points"
    assert between(-0.012, 0.02, share=True) == f"−1.20 to +2.00{NBSP}points"
    assert between(-0.5, 0.25, share=False) == "−0.5 to +0.25"
