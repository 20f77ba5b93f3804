"""The loss of a detector: where boxes are, what is in them, and where nothing is."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnkit.training._box_targets import Cells, assign

__all__ = ["Truth", "box_loss", "boxes_of", "overlaps"]

BOX_WEIGHT = 5.0  # of boxes beside objectness and classes, as in YOLOX
LARGEST_EXPONENT = 8.0  # e^8 cells: beyond any picture, below any overflow


class Truth(NamedTuple):
    """The objects of a batch.

    Args:
        boxes: (m, 4) float32 xyxy in input pixels.
        classes: (m,) int64, -1 for regions of which nothing is learned.
        image: (m,) int64, positions in the batch, ascending.
    """

    boxes: Tensor
    classes: Tensor
    image: Tensor

    def to(self, device: torch.device) -> "Truth":
        return Truth(self.boxes.to(device), self.classes.to(device), self.image.to(device))


def box_loss(raw: Tensor, truth: Truth, cells: Cells) -> Tensor:
    """Sum of 5 (1 - GIoU) + classes + objectness, over the P cells that own an object, divided by P (at least 1).

    A cell that owns an object with box b and class c predicts a box p and the log-odds z of each class. Its box costs
    1 - GIoU(p, b); its classes the sum over all classes k of the binary cross-entropy BCE(z_k, 1 if k = c else 0).
    Objectness is learned in every cell that counts: the BCE of IoU(p, b), not differentiated, where an object is
    owned, and of 0 elsewhere. So a score, objectness times class, says how well the box fits, too.

    Args:
        raw: (n, N, 5 + C) as `Detector.raw` gives it.
        truth: the objects of the n images.
        cells: the N cells.

    Returns:
        A scalar, float32.

    Reference: Ge et al. 2021, arXiv:2107.08430 (the three terms and their weights); Redmon et al. 2016,
    arXiv:1506.02640 (IoU as the target of objectness); Rezatofighi et al. 2019, arXiv:1902.09630 (GIoU).
    """
    raw = raw.float()
    owner, counts = _owners(truth, cells, len(raw))
    image, cell = torch.nonzero(owner >= 0, as_tuple=True)
    mine = owner[image, cell]
    predicted = boxes_of(raw[image, cell, :4], cells.at[cell], cells.stride[cell])
    iou, giou = overlaps(predicted, truth.boxes[mine])
    one_of = F.one_hot(truth.classes[mine], raw.shape[2] - 5).float()
    class_loss = F.binary_cross_entropy_with_logits(raw[image, cell, 5:], one_of, reduction="sum")
    fit = torch.zeros_like(raw[..., 4])
    fit[image, cell] = iou.detach()
    objectness = F.binary_cross_entropy_with_logits(raw[..., 4], fit, reduction="none")
    total = BOX_WEIGHT * (1 - giou).sum() + class_loss + (objectness * counts).sum()
    return total / max(1, len(cell))


def boxes_of(raw: Tensor, at: Tensor, stride: Tensor) -> Tensor:
    """(P, 4) x, y, w, h of cells `at` (P, 2) of grids of `stride` (P,) to xyxy in input pixels."""
    centres = (raw[:, :2] + at) * stride[:, None]
    half = raw[:, 2:].clamp(max=LARGEST_EXPONENT).exp() * stride[:, None] / 2
    return torch.cat([centres - half, centres + half], dim=1)


def overlaps(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU of pairs of boxes (P, 4) xyxy, (P,) each.

    With the smallest box E around both, GIoU = IoU - (area(E) - area(union)) / area(E), in (-1, 1]: it still tells
    how far apart boxes are that do not meet. Boxes without area have 0 and are 0 away from one another.

    >>> one, two = torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([[2.0, 0.0, 3.0, 1.0]])
    >>> [round(float(value), 4) for value in overlaps(one, two)]
    [0.0, -0.3333]
    """
    low, high = torch.maximum(first[:, :2], second[:, :2]), torch.minimum(first[:, 2:], second[:, 2:])
    shared = (high - low).clamp(min=0).prod(dim=1)
    union = (first[:, 2:] - first[:, :2]).prod(dim=1) + (second[:, 2:] - second[:, :2]).prod(dim=1) - shared
    outer = torch.maximum(first[:, 2:], second[:, 2:]) - torch.minimum(first[:, :2], second[:, :2])
    around = outer.prod(dim=1)
    tiny = torch.finfo(torch.float32).eps
    iou = shared / union.clamp(min=tiny)
    return iou, iou - (around - union) / around.clamp(min=tiny)


def _owners(truth: Truth, cells: Cells, n: int) -> tuple[Tensor, Tensor]:
    """(n, N) each: the position in `truth` of the object that a cell owns or -1; whether its objectness counts."""
    each = truth.image.bincount(minlength=n).tolist()
    first, rows = 0, []
    for count in each:
        targets = assign(truth.boxes[first : first + count], truth.classes[first : first + count], cells)
        rows.append((torch.where(targets.owner >= 0, targets.owner + first, -1), targets.counts))
        first += count
    return torch.stack([owner for owner, _ in rows]), torch.stack([counts for _, counts in rows])
