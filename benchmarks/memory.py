"""Memory of `cnnkit infer` against the size of the folder.

    python benchmarks/memory.py [--files 1000 5000 20000 100000] [--write]

Writes that many small JPEGs, runs each folder in a process of its own and prints its peak resident set, with --write
into docs/performance.md. The list of files may take 200 bytes a file; nothing else may grow.
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

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

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


def table_of(measured: list[tuple[int, int, float]]) -> str:
    peak_of_first = measured[0][1]
    rows = []
    for at, (n, peak, _) in enumerate(measured):
        before, peak_before, _ = measured[at - 1] if at else (0, 0, 0)
        more = f"{(peak - peak_before) / (n - before):.0f}" if at else ""
        rows.append([f"{n:,}", f"{peak / 2**20:.0f}", f"{peak / peak_of_first:.3f}", more])
    return as_table(["files", "peak resident set, MiB", "to the first", "bytes a file above the row before"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[1000, 5000, 20_000, 100_000])
    add_write_option(parser)
    chosen = parser.parse_args()
    measured = []
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        write_model(root / "wide.onnx")
        for n in chosen.files:
            write_images(root / str(n), n)
            measured.append((n, *peak_bytes(root / "wide.onnx", root / str(n), root / f"run-{n}")))
    table = table_of(measured)
    print(table)
    if chosen.write:
        what = f"`cnnkit infer` on JPEGs of 40x40, {N_CLASSES} classes, each folder in a process of its own."
        write_section("Memory", f"{measured_by('memory.py', what)}\n\n{table}")


if __name__ == "__main__":
    main()
