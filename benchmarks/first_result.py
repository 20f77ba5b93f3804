"""How soon the first answer is there: `cnnkit infer` with the shipped digits model, each time a process of its own.

    python benchmarks/first_result.py [--rounds 10] [--write]

One photo: the whole command, from its start to its end. A folder: from its start to the first part in the run folder,
with pandas as it is here and hidden (pyarrow imports pandas where it finds it). Beside them the start of the
interpreter alone, and with it the libraries that any such program imports. Every module is there as bytecode, as pip
installs it; the first start of each way writes what is missing and is not counted.
"""

import argparse
import os
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


def environment(folder: Path) -> dict[str, str]:
    """This one, with bytecode written and read in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder)}


def without_pandas(folder: Path) -> dict[str, str]:
    """What hides pandas: a module of its name that cannot be imported."""
    folder.mkdir()
    (folder / "pandas.py").write_text('raise ModuleNotFoundError("hidden", name="pandas")\n')
    return {"PYTHONPATH": str(folder)}


def seconds_of(env: dict[str, str], *words: object) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *map(str, words)], check=True, capture_output=True, env=env)
    return time.perf_counter() - began


def seconds_to_first_part(env: dict[str, str], images: Path) -> float:
    run = Path(tempfile.mkdtemp(dir=images.parent)) / "run"
    command = [sys.executable, "-m", "cnnkit", "infer", MODEL, images, "-o", run, "--shard-size", "32"]
    began = time.perf_counter()
    with subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL, env=env) as process:
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
        env = environment(folder / "bytecode")
        hidden = env | without_pandas(folder / "hidden")
        ways: dict[str, Callable[[], float]] = {
            "the interpreter alone": lambda: seconds_of(env, "-c", "pass"),
            "the interpreter with numpy, cv2, onnxruntime": lambda: seconds_of(env, "-c", LIBRARIES),
            "`cnnkit infer` of one photo, whole": lambda: seconds_of(env, "-m", "cnnkit", "infer", MODEL, photo),
            "`cnnkit infer` of 2,000 photos, to the first 32": lambda: seconds_to_first_part(env, folder / "images"),
            "the same, where pandas is not installed": lambda: seconds_to_first_part(hidden, folder / "images"),
        }
        for way in ways.values():
            way()
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(chosen.rounds):
            for name, way in ways.items():
                spent[name].append(way())
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
