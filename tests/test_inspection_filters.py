"""First-layer kernels as a picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnkit import inspection

# two kernels over colours: red alone, and green without blue
POOLED = """<ir_version: 8, opset_import: ["" : 17]>
pooled (float[N,3,2,2] input) => (float[N,2] logits)
<float[2,3,1,1] kernels = {1, 0, 0, 0, 1, -1}> {
    conv = Conv(input, kernels)
    g = GlobalAveragePool(conv)
    logits = Flatten<axis=1>(g)
}"""


def spec(channels: str) -> dict[str, Any]:
    return {
        "input": {"size": [2, 2], "channels": channels},
        "preprocess": [{"op": "rescale", "scale": 1 / 255}],
        "output": {"name": "logits"},
        "classes": [{"name": "a"}, {"name": "b"}],
    }


@pytest.mark.parametrize(("channels", "colour"), [("RGB", (255, 128, 128)), ("BGR", (128, 128, 255))])
def test_kernels_have_the_colours_they_look_for(
    write_model: Callable[..., Path], tmp_path: Path, channels: str, colour: tuple[int, int, int]
) -> None:
    drawn = inspection.draw_filters(write_model(tmp_path / "p.onnx", POOLED, spec(channels)))
    assert tuple(drawn.picture[0, 0]) == colour
    assert f"the file takes {channels})" in drawn.lines[0]
    assert drawn.title == "Conv_0: 2 kernels of 1x1, 3 channels"


def test_kernels_of_a_file_that_says_nothing(write_model: Callable[..., Path], tmp_path: Path) -> None:
    path = write_model(tmp_path / "p.onnx", POOLED, None)
    assert "the file takes RGB, as it says nothing else" in inspection.draw_filters(path).lines[0]
    assert tuple(inspection.draw_filters(path, channels="BGR").picture[0, 0]) == (128, 128, 255)
