"""Every network, with the weights it starts from, becomes an .onnx file that does what it does."""

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from cnnkit import exporting, models
from cnnkit.verification import open_source

SMALL = [name for name, network in models.NETWORKS.items() if network.fixed]
LARGE = [name for name, network in models.NETWORKS.items() if not network.fixed]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two pictures of smooth shades, large enough for every input."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for at in range(2):
        coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        coarse.resize((320, 240), Image.Resampling.BICUBIC).save(folder / f"{at}.png")
    return folder


def export(name, photos, folder):
    torch.manual_seed(0)
    torch.save(models.create(name, 10).state_dict(), folder / "weights.pth")
    source = open_source(name, weights=folder / "weights.pth")
    # digits standardises by what it was trained on, which a file of weights does not say
    preset = "tf" if name == "digits" else None
    return exporting.export_source(source, folder / f"{name}.onnx", images=photos, preset=preset)


@pytest.mark.parametrize("name", SMALL)
def test_course_networks_export(name, photos, tmp_path):
    assert export(name, photos, tmp_path).verification.passed


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_published_networks_export(name, photos, tmp_path):
    done = export(name, photos, tmp_path)
    assert done.verification.passed
    initializers = [tensor.name for tensor in onnx.load(done.path, load_external_data=False).graph.initializer]
    assert not [name for name in initializers if "aux" in name], "auxiliary heads are for training alone"
