"""Figures: coordinates by hand, well-formed whatever the names, and what every chart has in common."""

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit import drawing
from cnnkit.drawing import Axis, Bar, Line, Point
from cnnkit.drawing._frame import path

HOSTILE = """<script>alert("1")</script> & 'x' ]]> é"""
SHARE = Axis("x", percent=True)
TEXTS = {"name": "it", "title": f"title {HOSTILE}", "description": f"description {HOSTILE}"}
SVG = "{http://www.w3.org/2000/svg}"

FIGURES = {
    "lines": lambda: drawing.line_chart(
        [Line(HOSTILE, [0, 1], [0, 1]), Line("b", [0], [1])], x=SHARE, y=SHARE, **TEXTS
    ),
    "bars": lambda: drawing.interval_bars([Bar(HOSTILE, 0.5, 0.4, 0.6, HOSTILE)], axis=SHARE, **TEXTS),
    "above": lambda: drawing.interval_bars([Bar(HOSTILE, 0.5, 0.4, 0.6)], axis=Axis("d", -1, 1), above=True, **TEXTS),
    "dots": lambda: drawing.interval_bars([Bar(HOSTILE, 0.5, 0.4, 0.6)], axis=Axis("d", -1, 1), dots=True, **TEXTS),
    "histogram": lambda: drawing.histogram([1, 2], [0, 1, 2], x_label=HOSTILE, **TEXTS),
    "reliability": lambda: drawing.reliability_diagram([0.2], [0.3], [4], low=[0.1], high=[0.5], **TEXTS),
    "scatter": lambda: drawing.scatter_chart(
        [Point(HOSTILE, 1, 1, 0, 1, best=True)], x=Axis("x", 0, 2), y=SHARE, **TEXTS
    ),
    "confusion": lambda: drawing.confusion_grid([[1, 1], [0, 3]], [2, 3], names=[HOSTILE, "b"], **TEXTS),
    "map": lambda: drawing.confusion_map(np.eye(3, dtype=int), [1, 1, 1], **TEXTS),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_is_well_formed_and_names_stay_text(kind):
    root = ET.fromstring(FIGURES[kind]())
    assert root.find(f"{SVG}title").text == TEXTS["title"]
    assert root.find(f"{SVG}desc").text == TEXTS["description"]
    assert not list(root.iter(f"{SVG}script"))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby").split() == [root.find(f"{SVG}{part}").get("id") for part in ("title", "desc")]


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_brings_no_colours_and_no_foreign_identifiers(kind):
    root = ET.fromstring(FIGURES[kind]())
    for element in root.iter():
        assert not {"fill", "stroke", "style"} & set(element.attrib)
        assert element.get("id", "it").startswith("it")


def test_a_line_runs_where_the_axes_put_it():
    root = ET.fromstring(drawing.line_chart([Line("a", [0, 0.5, 1], [0, 0.5, 0])], x=SHARE, y=SHARE, **TEXTS))
    assert root.get("data-plot") == "76 12 328 242 0 1 0 1"
    line = next(each for each in root.iter(f"{SVG}path") if each.get("data-label") == "a")
    assert line.get("d") == "M0 242L164 121L328 242"


def test_nan_breaks_a_line_and_leaves_the_band():
    nan = math.nan
    line = Line("a", [0, 0.25, 0.5, 1], [0, 0, nan, 1], low=[0, 0, nan, 0], high=[1, 1, nan, 1], dots=True)
    svg = drawing.line_chart([line], x=SHARE, y=SHARE, **TEXTS)
    assert 'd="M0 242L82 242M328 0"' in svg
    assert 'class="band series-1" d="M0 242L82 242L328 242L328 0L82 0L0 0Z"' in svg
    assert svg.count("h0") == 3
    assert "NaN" not in svg
    assert "nan" not in svg


def test_only_plain_lines_stand_in_the_legend():
    lines = [Line("one", [0, 1], [0, 1]), Line("two", [0, 1], [1, 0]), Line("thin", [0, 1], [0, 0], style="faint")]
    root = ET.fromstring(drawing.line_chart(lines, x=SHARE, y=SHARE, **TEXTS))
    assert [each.text for each in root.iter(f"{SVG}text") if each.get("class") == "legend"] == ["one", "two"]
    assert root.get("height") == "340"


def test_lengths_that_disagree_are_refused():
    with pytest.raises(ValueError, match=re.escape("line 'a': x has shape (2,), y (3,); both must be (n,)")):
        drawing.line_chart([Line("a", [0, 1], [0, 1, 2])], x=SHARE, y=SHARE, **TEXTS)
    with pytest.raises(ValueError, match=re.escape("line 'a': the band has shapes (1,) and (2,), x (2,)")):
        drawing.line_chart([Line("a", [0, 1], [0, 1], low=[0], high=[0, 1])], x=SHARE, y=SHARE, **TEXTS)
    with pytest.raises(ValueError, match=re.escape("a histogram of (2,) counts needs (n + 1,) edges, got (2,)")):
        drawing.histogram([1, 2], [0, 1], x_label="x", **TEXTS)
    with pytest.raises(ValueError, match="must be"):
        drawing.reliability_diagram([0.1], [0.1, 0.2], [1], **TEXTS)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 328), st.floats(0, 242)), min_size=1, max_size=60))
def test_a_thinned_path_stays_within_its_step(points):
    across, down = np.array(points).T
    drawn = [tuple(map(float, each.split())) for each in re.split("[ML]", path(across, down))[1:]]
    assert np.allclose(drawn[0], points[0], atol=0.01)
    assert np.allclose(drawn[-1], points[-1], atol=0.01)
    for point in points:
        assert min(max(abs(a - point[0]), abs(b - point[1])) for a, b in drawn) < 0.51


@settings(deadline=None, max_examples=100)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_even_and_inside(low, length):
    places = [place for place, _ in Axis("x", low, low + length).ticks()]
    assert 3 <= len(places) <= 11
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
    assert np.allclose(np.diff(places), places[1] - places[0], atol=1e-6)


def test_logarithmic_ticks_are_round():
    texts = [text for _, text in Axis("x", 1, 1000, logarithmic=True).ticks()]
    assert texts == ["1", "10", "100", "1000"]
    assert len(Axis("x", 2, 9, logarithmic=True).ticks()) >= 3


def test_axes_that_run_backwards_are_refused():
    with pytest.raises(ValueError, match=re.escape("axis 'x' runs from 1 to 1: low must lie below high")):
        Axis("x", 1, 1)
    with pytest.raises(ValueError, match="it must start above 0"):
        Axis("x", 0, 1, logarithmic=True)


def test_bars_without_a_value_keep_their_row():
    svg = drawing.interval_bars([Bar("a", None, text="–"), Bar("b", 1.0, text="100 %")], axis=SHARE, **TEXTS)
    assert svg.count('class="bar series-1"') == 1
    assert ">a</text>" in svg


def test_points_on_the_front_are_joined_and_labels_part():
    points = [Point("a", 1, 0.5, best=True), Point("b", 2, 0.51, best=True), Point("c", 2, 0.509)]
    root = ET.fromstring(drawing.scatter_chart(points, x=Axis("x", 0, 4), y=SHARE, **TEXTS))
    front = next(each for each in root.iter(f"{SVG}path") if each.get("class") == "front")
    assert front.get("d").count("V") == 1
    heights = sorted(float(each.get("y")) for each in root.iter(f"{SVG}text") if "name" in each.get("class"))
    assert min(np.diff(heights)) >= 15


def test_bins_without_images_are_left_out_of_a_reliability_diagram():
    svg = drawing.reliability_diagram([math.nan, 0.8], [math.nan, 0.5], [0, 10], **TEXTS)
    assert svg.count("<circle") == 1
    assert "80\u00a0% sure, 50\u00a0% right, 10 images" in svg


@pytest.mark.parametrize(("value", "drawn"), [(0.5, True), (0.0, True), (None, False), (1.5, False)])
def test_only_a_share_gets_a_mark(value, drawn):
    assert bool(drawing.interval_mark(value, 0.4, 0.6)) == drawn


def test_names_that_begin_alike_keep_their_ends():
    names = ["short", "a class of things, 17", "a class of things, 18", "great white shark"]
    assert drawing.short_names(names, limit=12) == ["short", "a cla…gs, 17", "a cla…gs, 18", "great white…"]


def test_a_long_label_stands_whole_above_its_bar() -> None:
    label = "mobilenet_v1_025_128_uint8_nhwc − mobilenet_v2_int8"
    svg = drawing.interval_bars([Bar(label, -0.2, -0.3, -0.1)], axis=Axis("d", -1, 1), dots=True, above=True, **TEXTS)
    assert f'<text class="pair" x="0" y="15">{label}</text>' in svg.replace("15.0", "15")
