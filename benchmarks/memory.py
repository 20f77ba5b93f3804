"""Memory of `cnnkit infer` against the size of the folder: python benchmarks/memory.py [--files 1000 20000].

Writes that many small JPEGs, runs each folder in a process of its own and prints its peak resident set. The list of
files may take 200 bytes a file; nothing else may grow.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

from cnnkit.spec import METADATA_KEY, ModelSpec

N_CLASSES = 1000
SPEC = {
    "input": {"size": [32, 32]},
    "preprocess": [{"op": "resize", "size": [32, 32], "mode": "exact"}, {"op": "rescale", "scale": 1 / 255}],
    "output": {"name": "logits"},
    "classes": [{"name": f"class {at}"} for at in range(N_CLASSES)],
}
GRAPH = """<ir_version: 8, opset_import: ["" : 17]>
wide (float[N,3,32,32] input) => (float[N,1000] logits)
<int64[2] flat = {-1, 3072}, int64[1] from = {0}, int64[1] to = {1000}, int64[1] axis = {1}> {
    row = Reshape(input, flat)
    logits = Slice(row, from, to, axis)
}"""


def write_model(path: Path) -> None:
    model = onnx.parser.parse_model(GRAPH)
    model.metadata_props.add(key=METADATA_KEY, value=ModelSpec.model_validate(SPEC).to_json())
    path.write_bytes(model.SerializeToString())


def write_images(root: Path, n: int) -> None:
    random = np.random.default_rng(0)
    for at in range(n):
        path = root / f"{at // 1000:03d}" / f"{at:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)


def peak_bytes(model: Path, images: Path, run: Path) -> tuple[int, float]:
    """Peak resident set of one run, and its seconds of processor time."""
    command = [sys.executable, "-m", "cnnkit", "infer", str(model), str(images), "-o", str(run), "--progress", "none"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"infer ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=[1000, 20_000])
    sizes = parser.parse_args().files
    print(f"{'files':>8} {'peak MiB':>10} {'to the first':>13} {'bytes a file more':>18} {'cpu s':>7}")
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        write_model(root / "wide.onnx")
        first: tuple[int, int] | None = None
        for n in sizes:
            write_images(root / str(n), n)
            peak, seconds = peak_bytes(root / "wide.onnx", root / str(n), root / f"run-{n}")
            first = first or (n, peak)
            more = f"{(peak - first[1]) / (n - first[0]):.0f}" if n > first[0] else "-"
            print(f"{n:8d} {peak / 2**20:10.1f} {peak / first[1]:13.3f} {more:>18} {seconds:7.1f}")


if __name__ == "__main__":
    main()
