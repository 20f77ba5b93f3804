"""Augmentation: moves are exact, colours stay levels, draws follow the seed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.errors import UsageError
from cnnkit.training._augment import augmentation, padded_crop
from cnnkit.training._recipe import recipe_for


def pictures(n=6, size=9, channels=3, seed=0):
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.integers(0, 256, (n, size, size, channels), dtype=np.uint8))


def augment(pixels, *, seed=0, **changes):
    change = augmentation(recipe_for("cifar", **changes), n_channels=pixels.shape[3])
    torch.manual_seed(seed)
    return change(pixels)


def test_no_augmentation_is_none():
    assert augmentation(recipe_for("cifar"), n_channels=3) is None


def test_flip_mirrors_columns_and_vertical_flip_rows():
    pixels = pictures()
    assert torch.equal(augment(pixels, flip=1.0), pixels.flip(2))
    assert torch.equal(augment(pixels, vertical_flip=1.0), pixels.flip(1))
    assert torch.equal(augment(pixels, flip=1.0, vertical_flip=1.0), pixels.flip(1, 2))


def test_flip_by_half_leaves_some():
    pixels = pictures(n=40)
    flipped = augment(pixels, flip=0.5)
    same = [torch.equal(one, other) for one, other in zip(flipped, pixels, strict=True)]
    assert 8 < sum(same) < 32


def test_padded_crop_by_hand():
    """A border of one pixel: each of the nine windows of the 4x4 picture can come, and nothing else."""
    pixels = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8)[None, :, :, None].expand(300, 2, 2, 1)
    torch.manual_seed(0)
    seen = {tuple(crop.flatten().tolist()) for crop in padded_crop(pixels, 1)}
    assert seen == {
        (0, 0, 0, 1),
        (0, 0, 1, 2),
        (0, 0, 2, 0),
        (0, 1, 0, 3),
        (1, 2, 3, 4),
        (2, 0, 4, 0),
        (0, 3, 0, 0),
        (3, 4, 0, 0),
        (4, 0, 0, 0),
    }


def test_crop_padding_of_the_recipe():
    pixels = pictures()
    moved = augment(pixels, crop_padding=2)
    assert moved.shape == pixels.shape
    assert moved.dtype == torch.uint8
    assert not torch.equal(moved, pixels)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    size=st.integers(5, 12),
    changes=st.fixed_dictionaries(
        {},
        optional={
            "rotate": st.floats(1, 180),
            "translate": st.floats(0.05, 0.5),
            "zoom": st.floats(0.05, 0.5),
            "shear": st.floats(1, 40),
            "brightness": st.floats(0.05, 0.9),
            "contrast": st.floats(0.05, 0.9),
            "saturation": st.floats(0.05, 0.9),
            "hue": st.floats(0.05, 0.5),
            "crop_padding": st.integers(1, 4),
            "flip": st.floats(0.1, 1.0),
        },
    ),
)
def test_shape_type_and_draws(seed, size, changes):
    pixels = pictures(size=size, seed=seed)
    if not changes:
        return
    before = pixels.clone()
    changed = augment(pixels, seed=seed, **changes)
    assert changed.shape == pixels.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(pixels, before)
    assert torch.equal(changed, augment(pixels, seed=seed, **changes))


def test_half_a_turn_is_two_mirrors():
    """Rotation by 180 degrees exactly would be both flips; kornia draws from the range, so the range is pinned."""
    from kornia.augmentation import RandomAffine

    pixels = pictures().permute(0, 3, 1, 2).float() / 255
    turned = RandomAffine(degrees=(180, 180), p=1.0)(pixels)
    assert torch.allclose(turned, pixels.flip(2, 3), atol=1e-4)


def test_zoom_of_nothing_keeps_levels():
    """A hair of a rotation interpolates between neighbours; the levels are rounded, not cut off."""
    pixels = pictures()
    barely = augment(pixels, rotate=1e-6)
    assert torch.equal(barely, pixels)


def test_brightness_of_a_flat_picture():
    flat = torch.full((50, 4, 4, 3), 100, dtype=torch.uint8)
    changed = augment(flat, brightness=0.2)
    levels = changed[:, 0, 0, 0].tolist()
    assert min(levels) >= 80
    assert max(levels) <= 120
    assert max(levels) - min(levels) > 20
    assert torch.equal(changed, changed[:, :1, :1, :1].expand_as(changed))


def test_grey_pictures_take_brightness_and_no_hue():
    assert augment(pictures(channels=1), brightness=0.2, contrast=0.2).shape == (6, 9, 9, 1)
    with pytest.raises(UsageError, match="saturation and hue change colours, and the network takes grey images"):
        augment(pictures(channels=1), hue=0.1)
