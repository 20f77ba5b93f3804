"""How soon the first answer is there: `cnnkit infer` with the shipped digits model, each time a process of its own.

    python benchmarks/first_result.py [--rounds 10] [--write]

One photo: the whole command, from its start to its end. A folder: from its start to the first part in the run folder.
Beside them the start of the interpreter alone, and with it the libraries that any such program imports.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

MODEL = Path(__file__).resolve().parents[1] / "exported" / "digits-fp32.onnx"
LIBRARIES = "import numpy, cv2, onnxruntime"


def seconds_of(*words: object) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *map(str, words)], check=True, capture_output=True)
    return time.perf_counter() - began


def seconds_to_first_part(images: Path, run: Path) -> float:
    command = [sys.executable, "-m", "cnnkit", "infer", MODEL, images, "-o", run, "--shard-size", "32"]
    began = time.perf_counter()
    with subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(run.glob("parts/part-*")):
            time.sleep(0.001)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    add_write_option(parser)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "images").mkdir()
        for at in range(2000):
            Image.new("L", (8, 8), at % 256).save(folder / "images" / f"{at:04}.png")
        photo = folder / "images" / "0000.png"
        ways: dict[str, Callable[[int], float]] = {
            "the interpreter alone": lambda at: seconds_of("-c", "pass"),
            "the interpreter with numpy, cv2, onnxruntime": lambda at: seconds_of("-c", LIBRARIES),
            "`cnnkit infer` of one photo, whole": lambda at: seconds_of("-m", "cnnkit", "infer", MODEL, photo),
            "`cnnkit infer` of 2,000 photos, to the first 32": lambda at: seconds_to_first_part(
                folder / "images", folder / f"run-{at}"
            ),
        }
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for at in range(chosen.rounds):
            for name, way in ways.items():
                spent[name].append(way(at))
    rows = [
        [name, f"{statistics.median(times):.2f}", f"{min(times):.2f} to {max(times):.2f}"]
        for name, times in spent.items()
    ]
    text = measured_by("first_result.py", f"seconds of a fresh process, medians of {chosen.rounds}.")
    text += "\n\n" + as_table(["", "median, s", "range"], rows)
    print(text)
    if chosen.write:
        write_section("The first result", text)


if __name__ == "__main__":
    main()
