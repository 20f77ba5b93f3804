"""Stores and values: the same pixels from memory and from workers, the same numbers as inference."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnkit import data, images
from cnnkit.errors import DataError
from cnnkit.training._batches import batches_of
from cnnkit.training._pixels import load
from cnnkit.training._recipe import recipe_for
from cnnkit.training._spec import draft_spec, with_values
from cnnkit.training._stores import CroppedStore, DiskStore, PixelStore
from cnnkit.training._values import Values, mean_and_std

CPU = torch.device("cpu")


def spec_of(net, **changes):
    return draft_spec(recipe_for(net, **changes), ["a", "b"])


def nothing(n):
    pass


def batch_lists(store, order, seed):
    return [batch.tolist() for batch in store.batches(order, seed)]


@pytest.mark.parametrize(
    "spec",
    [
        spec_of("cifar"),
        spec_of("resnet18", imgsz=32),
        spec_of("resnet18", imgsz=32, preset="imagenet-caffe"),
        spec_of("googlenet", imgsz=32),
        with_values(spec_of("digits", imgsz=32), 0.3, 0.4),
        spec_of("cifar", preset="raw"),
    ],
    ids=["unit", "imagenet", "bgr", "tf", "grey", "raw"],
)
def test_values_equal_those_of_inference_to_the_bit(spec):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, spec.input.n_channels), dtype=np.uint8)
    preprocess = images.Preprocess(spec)
    expected = np.stack([preprocess.values(one) for one in pixels])
    assert np.array_equal(Values(spec, CPU)(torch.from_numpy(pixels)).numpy(), expected)


@settings(max_examples=25, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 5))))
def test_mean_and_deviation_as_numpy_has_them(pixels):
    spec = spec_of("digits")
    levels = np.bincount(pixels.ravel(), minlength=256)
    mean, std = mean_and_std(levels, spec)
    values = pixels.astype(np.float64) / 255
    assert mean == pytest.approx(values.mean(), abs=1e-7)
    assert std == pytest.approx(values.std() if len(np.unique(pixels)) > 1 else 1.0, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 60), size=st.integers(1, 20))
def test_batches_hold_every_image_once(n, size):
    order = np.random.default_rng(n).permutation(n)
    batches = batches_of(order, size)
    assert np.array_equal(np.concatenate(batches), order)
    assert all(len(batch) in (size, size + 1) for batch in batches[:-1])
    assert size == 1 or n == 1 or min(len(batch) for batch in batches) > 1


def test_a_single_image_joins_the_batch_before():
    assert [batch.tolist() for batch in batches_of(np.arange(7), 3)] == [[0, 1, 2], [3, 4, 5, 6]]
    assert [batch.tolist() for batch in batches_of(np.arange(3), 1)] == [[0], [1], [2]]


def test_small_sets_stay_in_memory_large_ones_on_disk(colours):
    part, spec = data.class_folders(colours / "train"), spec_of("cifar", imgsz=15)
    kept = {"resized_crop": None, "workers": 1, "report": nothing}
    assert isinstance(load(part, spec, **kept).store, PixelStore)
    assert isinstance(load(part, spec, **{**kept, "resized_crop": 0.5}).store, CroppedStore)
    assert isinstance(load(part, spec, **kept, cache=30 * 15 * 15 * 3).store, PixelStore)
    assert isinstance(load(part, spec, **kept, cache=30 * 15 * 15 * 3 - 1).store, DiskStore)


@pytest.mark.parametrize("resized_crop", [None, 0.3])
def test_workers_read_what_memory_holds(colours, resized_crop):
    part, spec = data.class_folders(colours / "val"), spec_of("cifar", imgsz=15)
    order = batches_of(np.arange(12), 5)
    memory = load(part, spec, resized_crop=resized_crop, workers=1, report=nothing)
    disk = load(part, spec, resized_crop=resized_crop, workers=2, report=nothing, cache=0)
    assert isinstance(disk.store, DiskStore)
    for seed in ((0, 1), (0, 2)):
        assert batch_lists(disk.store, order, seed) == batch_lists(memory.store, order, seed)
    if resized_crop:
        assert batch_lists(memory.store, order, (0, 1)) != batch_lists(memory.store, order, (0, 2))
    assert np.array_equal(memory.levels, disk.levels)


def test_a_file_that_goes_bad_while_training(tmp_path):
    from PIL import Image

    for name in ("a/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir()
        Image.new("RGB", (15, 15)).save(tmp_path / name)
    pictures = load(
        data.class_folders(tmp_path), spec_of("cifar", imgsz=15), resized_crop=None, workers=1, report=nothing, cache=0
    )
    (tmp_path / "b" / "2.png").unlink()
    with pytest.raises(DataError, match=r"2\.png was a good image when training began and is none now: No such file"):
        list(pictures.store.batches(batches_of(np.arange(2), 2), ()))
