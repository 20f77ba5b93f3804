"""The pictures of docs/pictures.md, from what every installation has: `python docs/images/make.py [FOLDER]`."""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

import cnnkit
from cnnkit import data

HERE = Path(__file__).resolve().parent
EXPORTED = HERE.parents[1] / "exported"
DIGIT = "digits/test/7/00147.png"


# lines
class Lines(nn.Module):
    """Two filters made by hand: a white line on black, vertical, then horizontal."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = nn.Conv2d(3, 2, kernel_size=7, padding=3, bias=False)
        with torch.no_grad():
            self.lines.weight.zero_()
            self.lines.weight[0, :, :, 3] = 1
            self.lines.weight[1, :, 3, :] = 1

    def forward(self, x: Tensor) -> Tensor:
        return self.lines(x).mean((2, 3))


# end


def main(output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "flower.jpg").write_bytes(data.sample_photos()["flower.jpg"])
        data.write_digits(work / "digits")
        cnnkit.export(
            Lines(),
            work / "lines.onnx",
            classes=["vertical", "horizontal"],
            preset="raw",
            scale=1 / 255,
            imgsz=(256, 384),
            resize="exact",
        )
        draw(work, output / "lines.png", "lines.onnx", "--features", "flower.jpg")
        draw(work, output / "digit.png", str(EXPORTED / "digits-fp32.onnx"), "--explain", DIGIT)
        draw(work, output / "kernels.png", str(EXPORTED / "digits-fp32.onnx"), "--filters")


def draw(work: Path, output: Path, model: str, what: str, *image: str) -> None:
    path = str(output.resolve())
    where = [what, path] if what == "--filters" else [what, *image, "-o", path]
    command = [sys.executable, "-m", "cnnkit", "inspect", model, *where, "--overwrite", "--progress", "none"]
    subprocess.run(command, cwd=work, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
