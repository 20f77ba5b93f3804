"""Text and marks stand out from what lies behind them, in both themes, as WCAG 2.2 asks at level AA."""

import re
from importlib.resources import files

import pytest

CSS = files("cnnkit.report").joinpath("report.css").read_text()
TEXT, MARK = 4.5, 3.0


def colours(block: str) -> dict[str, tuple[float, ...]]:
    found = re.findall(r"--([\w]+): #([0-9a-f]{6})\b", block)
    return {name: tuple(int(value[at : at + 2], 16) / 255 for at in (0, 2, 4)) for name, value in found}


LIGHT, DARK = (colours(block) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2])
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour: tuple[float, ...]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)


@THEMES
@pytest.mark.parametrize("back", ["page", "card"])
@pytest.mark.parametrize("front", ["text", "muted", "link", "two"])
def test_text(theme, front, back):
    assert contrast(theme[front], theme[back]) >= TEXT


@THEMES
def test_warnings(theme):
    assert contrast(theme["text"], theme["warn"]) >= TEXT


@THEMES
@pytest.mark.parametrize("mark", ["one", "two", "three", "four", "five", "six", "faint"])
def test_lines_and_points(theme, mark):
    assert contrast(theme[mark], theme["page"]) >= MARK


@THEMES
@pytest.mark.parametrize("kind", ["one", "two"])
@pytest.mark.parametrize("level", range(1, 7))
def test_counts_in_cells(theme, kind, level):
    opacity = float(re.search(rf"\.level-{level} rect \{{ opacity: ([\d.]+)", CSS)[1])
    cell = tuple(opacity * a + (1 - opacity) * b for a, b in zip(theme[kind], theme["page"], strict=True))
    inverted = re.search(rf"\.level-{level} text[^{{]*\{{ fill: var\(--page\)", CSS) is not None
    assert contrast(theme["page"] if inverted else theme["text"], cell) >= TEXT
