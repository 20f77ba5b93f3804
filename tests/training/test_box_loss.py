"""The detector's loss: a case worked by hand, overlaps against the package's own, and what any truth shows."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional as F

from cnnkit.boxes import iou_matrix
from cnnkit.training._box_loss import Truth, box_loss, boxes_of, overlaps
from cnnkit.training._box_targets import IGNORED, Cells

CELLS = Cells.of((32, 32), (8, 16), torch.device("cpu"))  # 16 cells and 4
N = len(CELLS.stride)


def truth_of(rows, n_images=1):
    """Rows (image, class, x1, y1, x2, y2)."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Truth(
        torch.tensor(table[:, 2:], dtype=torch.float32),
        torch.tensor(table[:, 1]).long(),
        torch.tensor(table[:, 0]).long(),
    )


def perfect(rows, classes, n_images=1, surety=12.0):
    """What a network says that knows: the box in every cell of it, sure where an object is and where none is."""
    raw = torch.full((n_images, N, 5 + classes), -surety)
    raw[..., :4] = 0.0
    for image, of_class, x1, y1, x2, y2 in rows:
        stride = CELLS.stride
        raw[image, :, 0] = (x1 + x2) / 2 / stride - CELLS.at[:, 0]
        raw[image, :, 1] = (y1 + y2) / 2 / stride - CELLS.at[:, 1]
        raw[image, :, 2] = torch.log((x2 - x1) / stride)
        raw[image, :, 3] = torch.log((y2 - y1) / stride)
        mine = (CELLS.stride == 8) & (CELLS.at == torch.tensor([1.0, 1.0])).all(dim=1)
        raw[image, mine, 4] = surety
        raw[image, mine, 5 + of_class] = surety
    return raw


def test_by_hand():
    """One object of 8x8 in cell (1, 1) of stride 8: that cell alone owns it."""
    raw = torch.zeros(1, N, 7)  # every cell: a box of its stride around its corner, all odds even
    # cell (1, 1): box 4 .. 12 against 8 .. 16: shared 16, union 112, around 144
    iou, giou = 16 / 112, 16 / 112 - (144 - 112) / 144
    even = math.log(2)
    expected = 5 * (1 - giou) + 2 * even + N * even  # BCE of even odds is log 2 whatever the target
    assert box_loss(raw, truth_of([(0, 1, 8, 8, 16, 16)]), CELLS).item() == pytest.approx(expected, rel=1e-6)
    assert iou == pytest.approx(0.142857, abs=1e-6)


def test_nothing_is_left_to_learn_when_all_is_known():
    rows = [(0, 1, 8, 8, 16, 16)]
    assert box_loss(perfect(rows, 3), truth_of(rows), CELLS).item() == pytest.approx(0, abs=1e-3)
    wrong = truth_of([(0, 2, 8, 8, 16, 16)])
    assert box_loss(perfect(rows, 3), wrong, CELLS).item() > 10


def test_objectness_is_to_be_the_overlap():
    """Of the log-odds of objectness, all else fixed, the loss is least at those of the IoU."""
    rows, raw = truth_of([(0, 0, 8, 8, 16, 16)]), perfect([(0, 0, 8, 8, 16, 12)], 1)  # half the box: IoU 0.5
    at = int(torch.nonzero((CELLS.stride == 8) & (CELLS.at == 1).all(dim=1)))
    odds = raw[0, at].clone()
    losses = []
    for level in (-1.0, 0.0, 1.0):
        raw[0, at] = odds
        raw[0, at, 1] = 0.25  # the upper half: centre (12, 10)
        raw[0, at, 4] = level
        losses.append(box_loss(raw, rows, CELLS).item())
    assert min(losses) == losses[1]


def test_pictures_without_objects_cost_their_objectness():
    raw = torch.zeros(2, N, 7)
    assert box_loss(raw, truth_of([]), CELLS).item() == pytest.approx(2 * N * math.log(2), rel=1e-6)


def test_regions_cost_nothing():
    region = truth_of([(0, IGNORED, 0, 0, 32, 32)])
    assert box_loss(torch.randn(1, N, 7), region, CELLS).item() == 0


def test_images_do_not_mix():
    torch.manual_seed(0)
    raw = torch.randn(2, N, 8)
    first, second = (0, 1, 3.0, 4.0, 19.0, 15.0), (1, 2, 8.0, 1.0, 24.0, 30.0)
    both = box_loss(raw, truth_of([first, second]), CELLS)
    alone = [box_loss(raw[at : at + 1], truth_of([(0, *row[1:])]), CELLS) for at, row in enumerate((first, second))]
    owned = [_n_owned(row) for row in (first, second)]
    assert both.item() == pytest.approx(
        sum(loss.item() * n for loss, n in zip(alone, owned, strict=True)) / sum(owned), rel=1e-5
    )


def _n_owned(row):
    from cnnkit.training._box_targets import assign

    return int((assign(torch.tensor([row[2:]]), torch.tensor([row[1]]), CELLS).owner >= 0).sum())


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, (6, 2, 4), elements=st.floats(0, 50, width=32)))
def test_overlaps_are_those_of_the_package(drawn):
    first, second = (
        np.concatenate([np.minimum(pair[:, :2], pair[:, 2:]), np.maximum(pair[:, :2], pair[:, 2:])], axis=1)
        for pair in (drawn[:, 0], drawn[:, 1])
    )
    iou, giou = overlaps(torch.from_numpy(first), torch.from_numpy(second))
    assert iou.numpy() == pytest.approx(np.diag(iou_matrix(first, second)), abs=1e-4)
    assert (giou <= iou + 1e-5).all()
    assert (giou >= -1 - 1e-5).all()
    back, _ = overlaps(torch.from_numpy(second), torch.from_numpy(first))
    assert torch.allclose(iou, back, atol=1e-5)


def test_boxes_are_those_of_the_decoder():
    from cnnkit.postprocess.yolox import _boxes, grid_cells

    raw = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    cells = grid_cells((32, 32), (8, 16))
    ours = boxes_of(torch.from_numpy(raw), CELLS.at, CELLS.stride).numpy()
    assert ours == pytest.approx(_boxes(raw, cells), abs=1e-4)


def test_gradients_reach_every_part():
    torch.manual_seed(0)
    raw = torch.randn(1, N, 7, requires_grad=True)
    box_loss(raw, truth_of([(0, 1, 8, 8, 24, 24)]), CELLS).backward()
    assert raw.grad is not None
    assert (raw.grad[..., 4] != 0).all()
    owners = raw.grad[0, :, 5:].abs().sum(dim=1) > 0
    assert torch.equal(owners, raw.grad[0, :, :4].abs().sum(dim=1) > 0)
    assert 0 < int(owners.sum()) < N


def test_binary_cross_entropy_of_the_classes_as_torch_has_it():
    raw = torch.zeros(1, N, 8)
    raw[..., 5:] = torch.tensor([0.3, -1.2, 2.0])
    rows = truth_of([(0, 2, 8, 8, 16, 16)])
    plain = torch.zeros(1, N, 8)
    change = box_loss(raw, rows, CELLS) - box_loss(plain, rows, CELLS)
    wanted = F.binary_cross_entropy_with_logits(raw[0, 0, 5:], torch.tensor([0.0, 0, 1]), reduction="sum")
    assert change.item() == pytest.approx(wanted.item() - 3 * math.log(2), rel=1e-4)
