"""An epoch of `cnnkit train` against a plain PyTorch loop: benchmarks/training.py [--epochs 5] [--write].

The plain loop walks over a tensor of ready numbers with the same network, batches, optimizer and augmentation. Both
take turns, epoch by epoch, so that a busy machine troubles them alike; the first epoch of each is not counted. The
images are random and written as PNG class folders, since what is measured is work: processor seconds on one thread,
which another program on the machine does not lengthen. Reading the files is left out on both sides.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from kornia import augmentation as kornia
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

from cnnkit import models
from cnnkit.training._augment import augmentation
from cnnkit.training._engine import ClassifierEngine
from cnnkit.training._parts import find_parts
from cnnkit.training._prepare import Prepared, prepare
from cnnkit.training._recipe import Recipe, recipe_for
from cnnkit.training._spec import draft_spec, network_arguments
from cnnkit.training._values import Values
from cnnkit.training._watch import Watch

CPU = torch.device("cpu")
CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "digits": (1200, {"net": "digits"}),
    "simple_convnet": (2000, {"net": "simple_convnet"}),
    "cifar, moved": (2000, {"net": "cifar", "rotate": 10, "translate": 0.1, "flip": 0.5}),
    "cifar, coloured": (2000, {"net": "cifar", "brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.05}),
    "cifar_improved, cropped": (1000, {"net": "cifar_improved", "crop_padding": 4, "flip": 0.5}),
}


def write_images(root: Path, n: int, size: int) -> None:
    random = np.random.default_rng(0)
    for at in range(n):
        folder = root / f"{at % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(folder / f"{at:05d}.png")


def ours(recipe: Recipe, prepared: Prepared, network: nn.Module) -> Callable[[int], None]:
    augment = augmentation(recipe, n_channels=prepared.spec.input.n_channels)
    engine = ClassifierEngine(recipe, prepared, network, augment, CPU)
    return lambda epoch: void(engine.train(epoch=epoch, step=void))


def plain(recipe: Recipe, prepared: Prepared, network: nn.Module) -> Callable[[int], None]:
    everything = np.arange(len(prepared.training))
    images = Values(prepared.spec, CPU)(next(prepared.training.store.batches([everything], ())))
    labels = torch.from_numpy(prepared.training.labels)
    augment = nn.Sequential(*layers(recipe, images.shape[2]))
    groups = [{"params": network.parameters(), "lr": recipe.lr}]
    optimizer = torch.optim.Adagrad(groups) if recipe.optimizer == "adagrad" else torch.optim.Adam(groups)

    def epoch(number: int) -> None:
        network.train()
        total = 0.0
        for positions in torch.randperm(len(images)).split(recipe.batch_size):
            batch: Tensor = augment(images[positions])
            loss = F.cross_entropy(network(batch), labels[positions])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()

    return epoch


def layers(recipe: Recipe, size: int) -> list[nn.Module]:
    found: list[nn.Module] = []
    if recipe.crop_padding:
        found.append(kornia.RandomCrop((size, size), padding=recipe.crop_padding))
    if recipe.flip:
        found.append(kornia.RandomHorizontalFlip(p=recipe.flip))
    if recipe.rotate:
        shift = (recipe.translate, recipe.translate)
        found.append(kornia.RandomAffine(degrees=recipe.rotate, translate=shift, p=1.0))
    if recipe.brightness:
        strengths = recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue
        found.append(kornia.ColorJitter(*strengths, p=1.0))
    return found


def measure(n: int, settings: dict[str, Any], epochs: int) -> tuple[list[float], list[float]]:
    """Processor seconds of each counted epoch, ours and plain."""
    recipe = recipe_for(**settings)
    watch = Watch(lambda done, total: None, lambda record, left: None, lambda note: None)
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), n, models.network(recipe.net).input.size)
        parts = find_parts(Path(folder), recipe)
        spec = draft_spec(recipe, parts.training.classes)
        prepared = prepare(parts, spec, recipe, workers=2, watch=watch)
    networks = [models.create(recipe.net, 10, **network_arguments(recipe, spec)) for _ in range(2)]
    runs = ours(recipe, prepared, networks[0]), plain(recipe, prepared, networks[1])
    seconds: tuple[list[float], list[float]] = [], []
    for epoch in range(1, epochs + 2):
        for run, found in zip(runs, seconds, strict=True):
            began = time.process_time()
            run(epoch)
            found.append(time.process_time() - began)
    return seconds[0][1:], seconds[1][1:]


def void(*_: object) -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    add_write_option(parser)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name, (n, settings) in CASES.items():
        one, other = (median(seconds) for seconds in measure(n, settings, chosen.epochs))
        rows.append([name, f"{one:.3f}", f"{other:.3f}", f"{one / other:.2f}"])
    what = (
        f"processor seconds an epoch, one thread, medians of {chosen.epochs} after the first, torch {version('torch')}."
    )
    text = f"{measured_by('training.py', what)}\n\n{as_table(['', 'cnnkit', 'a plain loop', 'ratio'], rows)}"
    print(text)
    if chosen.write:
        write_section("Training", text)


if __name__ == "__main__":
    main()
