"""Which cell finds which object: cases by hand on a grid one can draw, and what holds for any boxes."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.training._box_targets import IGNORED, Cells, assign

CPU = torch.device("cpu")
CELLS = Cells.of((64, 64), (8, 16), CPU)  # 8x8 cells, then 4x4
N_FINE = 64


def owned(boxes, classes=None):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    given_classes = torch.zeros(len(boxes), dtype=torch.int64) if classes is None else torch.tensor(classes)
    return assign(boxes, given_classes, CELLS)


def cells_of(targets, which):
    return [
        (int(column), int(row), int(stride))
        for (column, row), stride, owner in zip(CELLS.at, CELLS.stride, targets.owner, strict=True)
        if owner == which
    ]


def test_a_small_object_owns_the_cells_around_its_centre():
    # centre (20, 20) in cell (2, 2), whose centre it is; neighbours' centres at 12 and 28 lie inside 8 .. 32
    targets = owned([[8, 8, 32, 32]])
    assert cells_of(targets, 0) == [(column, row, 8) for row in (1, 2, 3) for column in (1, 2, 3)]
    assert targets.counts.all()


def test_cells_outside_the_box_are_not_owned():
    # 10 wide: the centres at 12 and 28 lie outside 15 .. 25; 24 high: those rows are in
    assert cells_of(owned([[15, 8, 25, 32]]), 0) == [(2, 1, 8), (2, 2, 8), (2, 3, 8)]


def test_a_long_object_belongs_to_the_coarse_grid():
    # 34 is more than 4 cells of 8; of the centres 8, 24, 40 of cells of 16 those inside 7 .. 41 and 9 .. 39
    targets = owned([[7, 9, 41, 39]])
    assert cells_of(targets, 0) == [(0, 1, 16), (1, 1, 16), (2, 1, 16)]
    assert {stride for _, _, stride in cells_of(owned([[8, 8, 40, 40]]), 0)} == {8}


def test_an_object_thinner_than_a_cell_owns_the_one_its_centre_is_in():
    assert cells_of(owned([[17, 17, 18, 18]]), 0) == [(2, 2, 8)]


def test_contested_cells_belong_to_the_smaller_object():
    targets = owned([[8, 8, 32, 32], [16, 16, 24, 24]])
    assert cells_of(targets, 1) == [(2, 2, 8)]
    assert len(cells_of(targets, 0)) == 8
    same = owned([[8, 8, 32, 32], [8, 8, 32, 32]])
    assert cells_of(same, 1) == [], "of equals the first"


def test_nothing_is_learned_in_a_region():
    targets = owned([[0, 0, 20, 64], [12, 24, 28, 40]], classes=[IGNORED, 1])
    centres = CELLS.centres
    inside = (centres[:, 0] < 20).tolist()
    assert [not counts for counts in targets.counts.tolist()] == [
        was and owner == -1 for was, owner in zip(inside, targets.owner.tolist(), strict=True)
    ]
    assert cells_of(targets, 0) == [], "a region owns no cell"
    assert (2, 4, 8) in cells_of(targets, 1)


def test_a_picture_without_objects_is_background():
    targets = owned([])
    assert (targets.owner == -1).all()
    assert targets.counts.all()


side = st.floats(1.5, 60)


@st.composite
def boxes(draw):
    found = []
    for _ in range(draw(st.integers(1, 6))):
        width, height = draw(side), draw(side)
        left, top = draw(st.floats(0, 64 - width)), draw(st.floats(0, 64 - height))
        found.append([left, top, left + width, top + height])
    return found


@settings(max_examples=80, deadline=None)
@given(boxes())
def test_owned_cells_lie_in_their_box_or_hold_its_centre(drawn):
    targets = owned(drawn)
    placed = np.array(drawn, np.float32)
    for at in np.flatnonzero(targets.owner.numpy() >= 0):
        x1, y1, x2, y2 = placed[targets.owner[at]]
        x, y = CELLS.centres[at].tolist()
        stride = float(CELLS.stride[at])
        middle = (x1 + x2) / 2, (y1 + y2) / 2
        holds = abs(middle[0] - x) <= stride / 2 + 1e-3 and abs(middle[1] - y) <= stride / 2 + 1e-3
        assert (x1 < x < x2 and y1 < y < y2) or holds
        assert (stride == 8) == (max(x2 - x1, y2 - y1) <= 32)


@settings(max_examples=80, deadline=None)
@given(boxes())
def test_the_smallest_of_a_stride_owns_the_cell_of_its_centre(drawn):
    targets = owned(drawn)
    for stride in (8, 16):
        mine = [at for at, (x1, y1, x2, y2) in enumerate(drawn) if (max(x2 - x1, y2 - y1) <= 32) == (stride == 8)]
        if mine:
            areas = [np.float32(drawn[at][2] - drawn[at][0]) * np.float32(drawn[at][3] - drawn[at][1]) for at in mine]
            if areas.count(min(areas)) == 1:
                assert cells_of(targets, mine[int(np.argmin(areas))])
