"""The small detector: its size, its output, and that the decoder `yolox` reads what training means."""

import numpy as np
import pytest
import torch

from cnnkit import models, postprocess
from cnnkit.models.detector import answer_of
from cnnkit.postprocess.yolox import grid_cells
from cnnkit.records import Geometry
from cnnkit.training._recipe import recipe_for
from cnnkit.training._spec import draft_spec


def by_hand():
    """Weights of each 3x3 convolution with its batch norm, then the three 1x1 outputs with biases."""
    pairs = [(3, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 64), (64, 48), (48, 48), (64, 48), (48, 48)]
    return sum(9 * one * other + 2 * other for one, other in pairs) + (48 + 1) * (4 + 1 + 10)


def test_parameters_by_hand_fit_a_megabyte():
    network = models.create("detector", 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == by_hand() < 250_000


@pytest.mark.parametrize(("size", "channels"), [(128, 3), (96, 1), (160, 3)])
def test_output_is_one_row_a_cell(size, channels):
    network = models.create("detector", 4, channels=channels, size=size).eval()
    with torch.no_grad():
        answer = network(torch.rand(2, channels, size, size))
    assert answer.shape == (2, len(grid_cells((size, size), network.strides)), 5 + 4)
    assert ((answer[..., 4:] > 0) & (answer[..., 4:] < 1)).all()


def test_training_mode_keeps_log_odds():
    network, images = models.create("detector", 4).eval(), torch.rand(2, 3, 128, 128)
    with torch.no_grad():
        assert torch.equal(answer_of(network.raw(images)), network(images))
        assert (network.train()(images)[..., 4:] < 0).any()


def test_cells_lie_where_the_decoder_looks_for_them():
    """A bright square moves the strongest change of the output to the cells around it."""
    torch.manual_seed(0)
    network = models.create("detector", 4).eval()
    cells = grid_cells((128, 128), network.strides)
    plain = torch.full((1, 3, 128, 128), 0.5)
    for top, left in ((24, 88), (96, 8)):
        marked = plain.clone()
        marked[..., top : top + 8, left : left + 8] = 1.0
        with torch.no_grad():
            change = (network.raw(marked) - network.raw(plain)).abs().sum(dim=2)[0].numpy()
        fine = cells[:, 2] == 8
        column, row, _ = cells[fine][change[fine].argmax()]
        assert abs((row + 0.5) * 8 - (top + 4)) <= 8
        assert abs((column + 0.5) * 8 - (left + 4)) <= 8


def test_the_decoder_reads_a_box_that_was_written_by_hand():
    spec = draft_spec(recipe_for(None, task="detection"), ["a", "b"])
    cells = grid_cells((128, 128), spec.output.strides)
    raw = np.full((1, len(cells), 7), 0.0, np.float32)
    at = int(np.flatnonzero((cells == (3, 5, 16)).all(axis=1))[0])
    raw[0, at] = [0.25, 0.5, np.log(2.0), np.log(1.5), 0.9, 0.1, 0.8]
    [found] = postprocess.build_decoder(spec)({"output": raw}, [Geometry((128, 128), (128, 128))])
    assert found.classes.tolist() == [1]
    assert found.scores.tolist() == pytest.approx([0.72])
    # centre (3.25 * 16, 5.5 * 16), size 32 x 24
    assert found.boxes[0].tolist() == pytest.approx([52 - 16, 88 - 12, 52 + 16, 88 + 12], abs=1e-4)


def test_a_size_that_its_grids_do_not_fit():
    with pytest.raises(ValueError, match="its input is a multiple of 16 pixels, got 100"):
        models.create("detector", 3, size=100)


@pytest.mark.parametrize("classes", [1, 2, 10, 80])
def test_starts_from_rare_objects_of_any_class(classes):
    torch.manual_seed(0)
    network = models.create("detector", classes).eval()
    with torch.no_grad():
        answer = network(torch.rand(1, 3, 128, 128)).mean(dim=(0, 1))
    assert answer[4].item() == pytest.approx(0.01, abs=0.003)
    assert answer[5:].numpy() == pytest.approx(1 / max(classes, 2), rel=0.3)
