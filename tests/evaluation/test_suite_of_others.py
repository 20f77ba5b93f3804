"""A case whose model does not say how it is read: the suite does, by the flags' names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit.errors import DataError
from cnnkit.evaluation import run_suite

COLOURS = """<ir_version: 8, opset_import: ["" : 17]>
colours (float[N,3,8,8] input) => (float[N,3] logits) {
    pooled = GlobalAveragePool(input)
    logits = Flatten<axis=1>(pooled)
}"""
CASE = """
schema = 1
[[case]]
name = "colours"
model = "colours.onnx"
data = "images"
measures = ["top1_accuracy"]
labels = "names.txt"
preset = "raw"
resize = "exact"
interpolation = "opencv:area"
channel_order = "{order}"
scale = 0.1
"""


@pytest.fixture
def folder(tmp_path: Path, write_model: Callable[..., Path], write_colour: Callable[..., Path]) -> Path:
    for colour in ("red", "green", "blue"):
        write_colour(tmp_path / "images" / colour / "0.png", colour)
    write_model(tmp_path / "colours.onnx", COLOURS, None)
    (tmp_path / "names.txt").write_text("red\ngreen\nblue\n")
    return tmp_path


@pytest.mark.parametrize(("order", "accuracy"), [("RGB", 1.0), ("BGR", pytest.approx(1 / 3))])
def test_a_case_says_how_its_model_is_read(folder: Path, order: str, accuracy: float) -> None:
    (folder / "one.toml").write_text(CASE.format(order=order))
    found = run_suite(folder / "one.toml", folder / "out", report=False, isolate=False, update=True)
    assert found.cases[0].error is None
    assert found.cases[0].measures[0].value == accuracy


def test_an_unknown_key_is_answered_with_those_there_are(folder: Path) -> None:
    (folder / "one.toml").write_text(CASE.format(order="RGB") + "decode = 1\n")
    with pytest.raises(DataError, match=r"case\.0\.decode: Extra inputs .* A case may have: .*decoder, .*labels"):
        run_suite(folder / "one.toml", folder / "out")
