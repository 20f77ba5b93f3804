from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnkit.errors import CheckFailed, DataError
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Rescale, Resize
from cnnkit.verification import find_pictures, unsteady_parts, verify

# answers with the brightest channel, as the file that `colours` gives
SPEC = ModelSpec(
    input=ModelInput(size=(8, 8)),
    preprocess=(Resize(size=(8, 8), mode="exact"), Rescale(scale=1 / 255)),
    output=ClassificationOutput(),
    classes=tuple(ClassName(name=name) for name in ("red", "green", "blue")),
)
MEANS = """
<ir_version: 10, opset_import: ["" : 17]>
means (float[N,3,8,8] input) => (float[{out},3] logits) {{
    pooled = GlobalAveragePool(input)
    {extra}
}}"""


class Means(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


@pytest.fixture
def file(write_model: Any, tmp_path: Path) -> Any:
    def make(extra: str = "logits = Flatten<axis=1>(pooled)", out: str = "N") -> Path:
        return write_model(tmp_path / "m.onnx", MEANS.format(extra=extra, out=out), SPEC.to_dict())

    return make


def test_a_file_that_is_right(file: Any) -> None:
    found = verify(file(), Means())
    assert found
    assert found.problems == ()
    assert found.worst is not None
    assert found.worst.max_abs is not None
    assert found.worst.max_abs < 1e-6
    assert [each.batch_size for each in found.comparisons] == [1, 2, 3]
    assert {each.top1_agreement for each in found.comparisons} == {1.0}
    assert found.versions.keys() >= {"python", "numpy", "torch", "onnxruntime"}
    assert len({picture.sha256 for picture in found.images}) == 32
    found.require("it")


SCALED = "f = Flatten<axis=1>(pooled)\n s = Constant<value_float={by}>()\n logits = Mul(f, s)"


@pytest.mark.parametrize(
    ("by", "precision", "passed"),
    [
        ("1.01", "fp32", False),
        ("1.01", "fp16", True),
        ("1.5", "fp16", False),
        ("1.5", "int8", True),
        ("-1.0", "int8", False),
    ],
)
def test_each_precision_has_its_tolerance(file: Any, by: str, precision: Any, passed: bool) -> None:
    found = verify(file(SCALED.format(by=by)), Means(), precision=precision)
    assert bool(found) is passed


def test_what_is_wrong_is_said_in_numbers(file: Any) -> None:
    found = verify(file(SCALED.format(by="-1.0")), Means())
    assert 'Output "logits" differs by up to' in found.problems[0]
    assert "(CPUExecutionProvider, 1 at a time; 2, 3 at a time, too)" in found.problems[0]
    assert any("The best class of" in problem and "of 32 images changed" in problem for problem in found.problems)
    with pytest.raises(CheckFailed, match="it does not do what its source does: Output"):
        found.require("it")


def test_a_batch_that_is_fixed_inside_does_not_run(file: Any) -> None:
    two = "to = Constant<value_ints=[2, 3]>()\n logits = Reshape(pooled, to)"
    found = verify(file(two, out="2"), Means())
    assert "With 1 image(s) at a time the file does not run" in found.problems[0]
    assert found.worst is not None  # two at a time it runs


def test_the_number_and_the_shape_of_outputs(file: Any) -> None:
    class Two(nn.Module):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"a": x.mean((2, 3)), "b": x.amax((2, 3))}

    class Four(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x.mean((2, 3)), x.mean((1, 2, 3))[:, None]], 1)

    assert "The file gives 1 outputs (logits), the source 2 (" in verify(file(), Two()).problems[0]
    assert (
        'Output "logits" of the file has shape (32, 3), the source gives (32, 4) ('
        in verify(file(), Four()).problems[0]
    )


def test_the_images_are_spread_over_a_folder(tmp_path: Path, write_colour: Any) -> None:
    for kind in "abcd":
        for at in range(10):
            write_colour(tmp_path / kind / f"{at}.png", "red")
    (tmp_path / "a" / "0.png").write_bytes(b"broken")
    found = find_pictures(tmp_path, None, n=8)
    assert [picture.name for picture in found.each] == [
        "a/5.png", "b/0.png", "b/5.png", "c/0.png", "c/5.png", "d/0.png", "d/5.png",
    ]  # fmt: skip
    assert find_pictures(None, tmp_path, n=8).origin.endswith("(the training record's)")
    assert "china.jpg" in find_pictures(None, tmp_path / "gone").origin
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no image"):
        find_pictures(tmp_path / "empty", None)


def test_the_crops_of_two_photographs_are_the_same_everywhere() -> None:
    found = find_pictures(None, None)
    assert len(found.each) == 32
    assert found.each[0].name == "china.jpg 240x160+0+0"
    assert [picture.data for picture in found.each] == [picture.data for picture in find_pictures(None, None).each]


def test_random_parts_are_named() -> None:
    batch = np.ones((2, 3, 4, 4), np.float32)
    steady = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Dropout(0.5)).eval()
    assert unsteady_parts(steady, batch) == []
    steady[1].train()
    assert unsteady_parts(steady, batch) == ["1 (Dropout)"]


class Shift:
    """A transform of PIL images that answers `by` levels brighter than the spec."""

    __module__ = "torchvision.transforms.transforms"

    def __init__(self, by: float) -> None:
        self.by = by

    def __call__(self, picture: Any) -> torch.Tensor:
        from PIL import Image

        pixels = np.asarray(picture.resize((8, 8), Image.Resampling.BILINEAR), dtype=np.float32)
        return torch.from_numpy(pixels.transpose(2, 0, 1) + self.by) / 255


def test_the_sources_own_preprocessing_beside_ours(file: Any) -> None:
    same = verify(file(), Means(), transform=Shift(0.0)).own_preprocessing
    assert same is not None
    assert same.max_level is not None
    assert same.max_level <= 1.0001
    assert same.top1_agreement == 1.0
    other = verify(file(), Means(), transform=Shift(7.0))
    assert not other
    assert "7 levels of 255 from those of the source's transform on the average, 0.5 is allowed" in other.problems[0]
    known = verify(file(), Means(), transform=Shift(7.0), exact=False)
    assert known
    assert known.own_preprocessing is not None
    assert known.own_preprocessing.mean_level == pytest.approx(7, abs=0.2)


def test_a_transform_that_does_not_run_here(file: Any) -> None:
    found = verify(file(), Means(), transform=object())
    assert found
    assert found.own_preprocessing is not None
    assert "does not run here: TypeError" in str(found.own_preprocessing.not_run)
