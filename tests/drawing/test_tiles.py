"""Grids of small pictures, words above a picture, heat over it."""

import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnkit import drawing
from cnnkit.drawing._tiles import GAP


def _tiles(n: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, height, width), dtype=np.uint8)


def test_every_tile_is_there_in_order_and_whole() -> None:
    tiles = _tiles(12, 3, 3)
    grid = drawing.tile_grid(tiles)
    factor = 160 // 3  # up to 16 tiles get 160 pixels
    side = factor * 3
    rows = (grid.shape[0] + GAP) // (side + GAP)
    columns = 12 // rows
    assert rows * columns == 12
    left = grid.shape[1] - (columns * (side + GAP) - GAP)
    for at, tile in enumerate(tiles):
        top, start = at // columns * (side + GAP), left + at % columns * (side + GAP)
        shown = grid[top : top + side, start : start + side]
        np.testing.assert_array_equal(shown[::factor, ::factor, 0], tile)
        np.testing.assert_array_equal(shown, np.repeat(np.repeat(tile, factor, 0), factor, 1)[..., None].repeat(3, 2))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 90), st.integers(1, 5), st.integers(1, 5))
@example(29, 1, 5)  # a prime number of flat tiles
def test_a_grid_is_neither_a_strip_nor_lost(n: int, height: int, width: int) -> None:
    grid = drawing.tile_grid(_tiles(n, height, width))
    assert grid.dtype == np.uint8
    if n > 8:
        assert 1 / 4 < grid.shape[0] / grid.shape[1] < 4


def test_sixty_four_make_eight_by_eight() -> None:
    grid = drawing.tile_grid(np.zeros((64, 8, 8), np.uint8))
    dark = (grid == 0).all(axis=2)
    assert int(dark[5].sum()) == int(dark[:, -5].sum()) == 8 * 96


def test_colour_tiles_stay_as_they_are() -> None:
    tile = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    grid = drawing.tile_grid(tile[None])
    assert grid[0, 0].tolist() == [255, 0, 0]
    assert grid[0, -1].tolist() == [0, 255, 0]


@pytest.mark.parametrize("bad", [np.zeros((2, 3), np.uint8), np.zeros((1, 2, 2)), np.zeros((0, 2, 2), np.uint8)])
def test_what_is_no_tile_is_named(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"tiles are uint8 \(n, h, w\)"):
        drawing.tile_grid(bad)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9))
def test_signed_levels_keep_sign_and_order(values: list[float]) -> None:
    array = np.array([values])
    levels = drawing.signed_levels(array)[0].astype(int)
    assert all(level >= 128 for level, value in zip(levels, values, strict=True) if value >= 0)
    assert all(level <= 128 for level, value in zip(levels, values, strict=True) if value <= 0)
    order = np.argsort(array[0], kind="stable")
    assert (np.diff(levels[order]) >= 0).all()
    np.testing.assert_array_equal(256 - levels, drawing.signed_levels(-array)[0])


def test_not_a_number_counts_as_zero() -> None:
    assert drawing.signed_levels(np.array([[np.nan, 1.0, np.inf]])).tolist() == [[128, 255, 128]]


def test_words_stand_above_and_the_picture_is_untouched() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (50, 500, 3), dtype=np.uint8)
    page = drawing.captioned(picture, "A title", ["a line " * 40], inset=picture)
    np.testing.assert_array_equal(page[-14 - 50 : -14, 14 : 14 + 500], picture)
    head = page[: -14 - 50]
    assert (head < 128).any(), "letters are dark"
    assert (page[:, -14:] == 255).all(), "no line runs over the margin"


def test_a_grey_page_is_a_grey_file() -> None:
    grey = np.full((4, 5, 3), 7, np.uint8)
    opened = Image.open(io.BytesIO(drawing.png(grey)))
    assert (opened.mode, opened.size) == ("L", (5, 4))
    coloured = grey.copy()
    coloured[0, 0, 0] = 200
    opened = Image.open(io.BytesIO(drawing.png(coloured)))
    assert opened.mode == "RGB"
    assert opened.getpixel((0, 0)) == (200, 7, 7)


LABELS = ("cold", "nothing", "hot")


def _halves(page: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    side = (page.shape[1] - 14) // 2
    return page[:height, :side], page[:height, side + 14 :]


def test_heat_lies_where_it_is_and_nowhere_else() -> None:
    picture = np.full((20, 20, 3), 100, np.uint8)
    heat = np.zeros((4, 4))
    heat[1, 2] = 1.0
    page = drawing.heat_over(picture, heat, (0, 0, 20, 20), labels=LABELS)
    left, right = _halves(page, 440)
    assert (left == 100).all()
    redness = right[..., 0].astype(int) - right[..., 2]
    y, x = np.unravel_index(np.argmax(redness), redness.shape)
    assert (y // 110, x // 110) == (1, 2)
    assert (right[220:, :110] == 100).all()


def test_blue_is_for_what_speaks_against() -> None:
    picture = np.full((10, 10, 3), 100, np.uint8)
    page = drawing.heat_over(picture, np.array([[-1.0, 1.0]]), (0, 0, 10, 10), labels=LABELS)
    _, right = _halves(page, 440)
    assert right[50, 5, 2] > right[50, 5, 0]
    assert right[50, -5, 0] > right[50, -5, 2]


def test_what_the_network_does_not_get_is_dimmed() -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    page = drawing.heat_over(picture, np.zeros((2, 2)), (5, 0, 15, 10), labels=LABELS)
    left, right = _halves(page, 220)
    for half in (left, right):
        assert (half[:, :105] > 128).all()
        assert (half[:, 115:325] == 0).all()
        assert (half[:, 335:] > 128).all()


def test_a_window_wider_than_the_picture_is_cut() -> None:
    picture = np.full((10, 10, 3), 50, np.uint8)
    heat = np.array([[1.0, 0.0, 0.0]])  # the first third lies in the border that was padded on
    page = drawing.heat_over(picture, heat, (-10, 0, 20, 10), labels=LABELS)
    _, right = _halves(page, 440)
    assert (right[:, 230:] == 50).all()
