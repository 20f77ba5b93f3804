"""What is said of the preprocessing of a file that does not say it itself."""

from pathlib import Path

import pytest

from cnnkit.pipeline import open_model

COLOURS = """<ir_version: 8, opset_import: ["" : 17]>
colours (float[N,3,8,8] input) => (float[N,3] logits) {
    pooled = GlobalAveragePool(input)
    logits = Flatten<axis=1>(pooled)
}"""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"preset": "imagenet"},
            "RGB, short side to 9 (pillow:bilinear), the centre 8x8, times 1/255, minus 0.485 0.456 0.406, "
            "divided by 0.229 0.224 0.225",
        ),
        ({"preset": "raw", "resize": "none"}, "RGB"),
        (
            {"preset": "tf", "channel_order": "BGR", "resize": "exact", "interpolation": "opencv:area"},
            "BGR, squeezed to 8x8 (opencv:area), times 0.00784314 plus -1",
        ),
        ({"preset": "raw", "resize": "letterbox"}, "RGB, letterboxed to 8x8 (pillow:bilinear)"),
    ],
)
def test_a_preset_is_spelled_out(write_model, tmp_path: Path, options, told) -> None:  # type: ignore[no-untyped-def]
    path = write_model(tmp_path / "colours.onnx", COLOURS, None)
    assert open_model(path, **options).notes[-1] == f"Images are prepared so: {told}."


def test_a_file_that_says_it_itself_is_not_spelled_out(colours: Path) -> None:
    assert not any("prepared so" in note for note in open_model(colours).notes)
