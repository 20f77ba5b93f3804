"""Published models without a spec, through flags alone: each at the figure that is known of it."""

import json
from pathlib import Path
from typing import Any

import pytest

CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
SYNSETS = "imagenet_synset_words.txt"


@pytest.fixture
def right_of(run_cnnkit: Any, shared: Path) -> Any:
    """(top-1, top-5) as numbers of images."""

    def evaluate(model: str, data: Path, *flags: object) -> tuple[int, int]:
        result = run_cnnkit("eval", shared / "models" / model, data, *flags, "--json")
        told = json.loads(result.stdout)
        n = told["data"]["n"]
        top1, top5 = (told["figures"][name]["value"] for name in ("top1_accuracy", "top5_accuracy"))
        return round(top1 * n), round(top5 * n)

    return evaluate


def test_half_precision_bgr_probabilities(right_of: Any, shared: Path) -> None:
    labels = shared / "models" / SYNSETS
    found = right_of("squeezenet_fp16.onnx", shared / "imagenet200", "--preset", "imagenet-caffe", "--labels", labels)
    assert found == (pytest.approx(133, abs=1), pytest.approx(175, abs=1))


def test_uint8_nhwc_with_background(right_of: Any, shared: Path) -> None:
    models = shared / "models"
    flags = ("--preset", "raw", "--labels", models / "imagenet_labels_1001.txt", "--class-map", models / SYNSETS)
    found = right_of("mobilenet_v1_025_128_uint8_nhwc.onnx", shared / "imagenet200", *flags)
    assert found == (pytest.approx(101, abs=1), pytest.approx(151, abs=1))


@pytest.mark.slow
def test_dynamically_quantised_one_image_at_a_time(right_of: Any, shared: Path) -> None:
    labels = shared / "models" / SYNSETS
    found = right_of("mobilenet_v2_int8.onnx", shared / "imagenet200", "--preset", "imagenet", "--labels", labels)
    assert found == (pytest.approx(172, abs=1), pytest.approx(194, abs=1))


@pytest.mark.slow
def test_grey_digits_from_idx_files(right_of: Any, run_cnnkit: Any, shared: Path, tmp_path: Path) -> None:
    run_cnnkit("data", "convert", shared / "mnist", tmp_path / "mnist")
    grey = ("--preset", "raw", "--resize", "none")
    assert right_of("mnist_zoo.onnx", tmp_path / "mnist", *grey)[0] == 9891
    top1, _ = right_of("mnist_convnet_maxpool.onnx", tmp_path / "mnist", *grey, "--scale", 1 / 255)
    assert top1 == 9792


def test_small_colour_pictures(right_of: Any, shared: Path, tmp_path: Path) -> None:
    labels = tmp_path / "names.txt"
    labels.write_text("\n".join(CIFAR))
    found = right_of(
        "cifar10_tutorial.onnx", shared / "cifar10", "--preset", "tf", "--resize", "none", "--labels", labels
    )
    assert found[0] == 3238
