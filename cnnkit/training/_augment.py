"""Augmentation between geometry and values: uint8 pixels in, uint8 pixels out, on the device of the batch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnkit.errors import MachineError, UsageError
from cnnkit.training._recipe import Recipe

__all__ = ["Augment", "augmentation"]

MOVED_WITH_BOXES = ("flip", "vertical_flip", "translate", "zoom")

Augment = Callable[[Tensor], Tensor]


def augmentation(recipe: Recipe, *, n_channels: int) -> Augment | None:
    """The recipe's changes as a function of uint8 (n, H, W, C), None when there are none.

    Padded crops move whole pixels. The others are kornia's, on numbers in [0, 1] that are then rounded back to
    levels, since an image that is served has no others. Draws come from torch's generator of the batch's device.
    """
    if recipe.task == "detection":  # what moves pixels moves boxes with them, before
        recipe = recipe.model_copy(update=dict.fromkeys(MOVED_WITH_BOXES, 0.0))
    if n_channels == 1 and (recipe.saturation or recipe.hue):
        raise UsageError("saturation and hue change colours, and the network takes grey images. Leave them out.")
    layers = _kornia_layers(recipe)
    if not layers and not recipe.crop_padding:
        return None
    changes = nn.Sequential(*layers)

    def augment(pixels: Tensor) -> Tensor:
        if recipe.crop_padding:
            pixels = padded_crop(pixels, recipe.crop_padding)
        if not layers:
            return pixels
        unit: Tensor = changes(pixels.permute(0, 3, 1, 2).float() / 255)
        return (unit * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)

    return augment


def padded_crop(pixels: Tensor, padding: int) -> Tensor:
    """Cut (n, H, W, C) anew out of itself with a black border of `padding` pixels, each image at its own place."""
    n, height, width, _ = pixels.shape
    padded = F.pad(pixels, (0, 0, padding, padding, padding, padding))
    top, left = torch.randint(2 * padding + 1, (2, n, 1), device=pixels.device)
    rows = top + torch.arange(height, device=pixels.device)
    columns = left + torch.arange(width, device=pixels.device)
    image = torch.arange(n, device=pixels.device)[:, None, None]
    return padded[image, rows[:, :, None], columns[:, None, :]]


def _kornia_layers(recipe: Recipe) -> list[nn.Module]:
    moved = recipe.rotate or recipe.translate or recipe.zoom or recipe.shear
    coloured = recipe.brightness or recipe.contrast or recipe.saturation or recipe.hue
    if not (recipe.flip or recipe.vertical_flip or moved or coloured):
        return []
    try:
        from kornia import augmentation as kornia
    except ImportError as error:
        raise MachineError(f'augmentation needs kornia ({error}). Install: pip install "cnnkit[train]".') from error
    layers: list[nn.Module] = []
    if recipe.flip:
        layers.append(kornia.RandomHorizontalFlip(p=recipe.flip))
    if recipe.vertical_flip:
        layers.append(kornia.RandomVerticalFlip(p=recipe.vertical_flip))
    if moved:
        layers.append(
            kornia.RandomAffine(
                degrees=recipe.rotate,
                translate=(recipe.translate, recipe.translate) if recipe.translate else None,
                scale=(1 - recipe.zoom, 1 + recipe.zoom) if recipe.zoom else None,
                shear=recipe.shear or None,
                p=1.0,
            )
        )
    if coloured:
        layers.append(kornia.ColorJitter(recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue, p=1.0))
    return layers
