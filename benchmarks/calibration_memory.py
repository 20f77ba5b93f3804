"""Memory of calibration against the number of images: a network like ResNet-18 at 224x224.

    python benchmarks/calibration_memory.py [--images 100 1000] [--methods entropy percentile] [--write]

Each calibration runs in a process of its own on made-up pictures. What is told is its peak resident set above that of
a process that has the same libraries and the open model and has run one picture.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

MODEL_ALONE = "the model alone"
SIZE = (224, 224)


def pictures(n: int) -> Iterator[dict[str, Any]]:
    """Smooth shapes with noise, normalised as photographs are, one at a time."""
    import cv2

    random = np.random.default_rng(0)
    for _ in range(n):
        shapes = cv2.resize(random.random((7, 7, 3), np.float32), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
        pixels = np.clip(shapes + random.normal(0, 0.05, shapes.shape), 0, 1)
        yield {"input": ((pixels - 0.45) / 0.225).astype(np.float32).transpose(2, 0, 1)[None]}


def child(model: Path, method: str, n: int) -> None:
    """Print the peak resident set in bytes."""
    from onnxruntime.quantization import calibrate  # noqa: F401  both kinds of process have loaded it

    from cnnkit.benchmark._memory import peak_of_this_process
    from cnnkit.quantization._calibration import measure_ranges
    from cnnkit.runtime import open_session

    if method == MODEL_ALONE:
        open_session(model, device="cpu").run(next(pictures(1)))
    else:
        measure_ranges(model, pictures(n), method=method)
    print(peak_of_this_process())


def peak_bytes(model: Path, method: str, n: int) -> int:
    command = [sys.executable, __file__, "--child", str(model), method, str(n)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout)


def write_model(folder: Path) -> Path:
    from against import write_model

    from cnnkit.quantization._graph import prepare

    return prepare(write_model("resnet18", folder), folder)


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--methods", nargs="+", default=["entropy", "percentile"])
    add_write_option(parser)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        model = write_model(Path(temporary))
        alone = peak_bytes(model, MODEL_ALONE, 1)
        rows = [[MODEL_ALONE, "1", f"{alone / 2**20:.0f}", ""]]
        for method in chosen.methods:
            for n in chosen.images:
                peak = peak_bytes(model, method, n)
                rows.append([method, f"{n:,}", f"{peak / 2**20:.0f}", f"{(peak - alone) / 2**20:.0f}"])
                print(*rows[-1], file=sys.stderr, flush=True)
    table = as_table(["", "images", "peak resident set, MiB", "above the model alone, MiB"], rows)
    print(table)
    if chosen.write:
        head = measured_by("calibration_memory.py", "the ranges for int8 of ResNet-18, a process each.")
        write_section("Memory of calibration", f"{head}\n\n{table}")


if __name__ == "__main__":
    main()
