"""Which cells of a detector's grids are to find which objects."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnkit.postprocess.yolox import grid_cells

__all__ = ["IGNORED", "Cells", "Targets", "assign"]

IGNORED = -1  # the class of a region where neither an object nor its absence is learned

RADIUS = 1.5  # cells, around an object's centre
LARGEST = 4.0  # cells: longer objects belong to the next stride


class Cells(NamedTuple):
    """The N cells of all grids, in the order of the network's output.

    Args:
        at: (N, 2) float32, column and row.
        stride: (N,) float32, that of the cell's grid.
        strides: (grids,) float32, ascending.
    """

    at: Tensor
    stride: Tensor
    strides: Tensor

    @classmethod
    def of(cls, size: tuple[int, int], strides: tuple[int, ...], device: torch.device) -> "Cells":
        cells: NDArray[np.float32] = grid_cells(size, strides)
        whole = torch.from_numpy(cells).to(device)
        return cls(whole[:, :2], whole[:, 2], torch.tensor(strides, dtype=torch.float32, device=device))

    @property
    def centres(self) -> Tensor:
        """(N, 2) x and y in input pixels."""
        return (self.at + 0.5) * self.stride[:, None]


class Targets(NamedTuple):
    """What the N cells of one image are to find.

    Args:
        owner: (N,) int64, the position of the object that a cell finds, -1 for none.
        counts: (N,) bool, whether the cell's objectness is learned.
    """

    owner: Tensor
    counts: Tensor


def assign(boxes: Tensor, classes: Tensor, cells: Cells) -> Targets:
    """Give each object the cells around its centre.

    An object belongs to the first stride of which its longer side is at most 4 cells, to the last one if it is longer
    than that. There it owns the cells whose centre lies inside its box and less than 1.5 cells from the box's centre
    in x and in y; and always the cell in which its centre lies, however thin it is. A cell that several claim belongs
    to the smallest of them, of equals the first. The other cells are background, save those whose centre lies in a
    region of class -1, of which nothing is learned.

    Args:
        boxes: (k, 4) float32 xyxy in input pixels, the centre inside the input.
        classes: (k,) int64, -1 for regions.
        cells: all grids.

    Returns:
        The targets of N cells.

    Reference: Tian et al. 2019, arXiv:1904.01355 (centres, strides, the smallest wins); Ge et al. 2021,
    arXiv:2107.08430 (3x3 positive cells).
    """
    inside, near = _claims(boxes, cells)
    own_stride = cells.stride[None] == _stride_of(boxes, cells)[:, None]
    objects = (classes != IGNORED)[:, None]
    claims = objects & own_stride & near
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    cost = torch.where(claims, areas[:, None], torch.inf)
    # a row that no object beats: without objects there is no smallest
    cost = torch.cat([cost, torch.full_like(cells.stride, torch.finfo(torch.float32).max)[None]])
    owner = cost.argmin(dim=0)
    owner = torch.where(owner == len(boxes), -1, owner)
    hidden = (~objects & inside).any(dim=0) & (owner == -1)
    return Targets(owner, ~hidden)


def _claims(boxes: Tensor, cells: Cells) -> tuple[Tensor, Tensor]:
    """(k, N) each: whether a cell's centre lies in a box; whether the cell is one of those around the box's centre."""
    points, middle = cells.centres[None], ((boxes[:, :2] + boxes[:, 2:]) / 2)[:, None]
    stride = cells.stride[None, :, None]
    inside = ((points > boxes[:, None, :2]) & (points < boxes[:, None, 2:])).all(dim=2)
    close = ((points - middle).abs() < RADIUS * stride).all(dim=2)
    holds_middle = ((middle / stride).floor() == cells.at[None]).all(dim=2)
    return inside, (inside & close) | holds_middle


def _stride_of(boxes: Tensor, cells: Cells) -> Tensor:
    """(k,) the stride that each object belongs to."""
    longest = (boxes[:, 2:] - boxes[:, :2]).amax(dim=1)
    level = (longest[:, None] > LARGEST * cells.strides[None, :-1]).sum(dim=1)
    return cells.strides[level]
