"""What preparing one photograph costs: decoded 500x375 to short side 256, centre 224, normalised, (3, 224, 224).

    python benchmarks/resize.py [--rounds N] [--threads 1 2] [--write]

Rounds of all ways are interleaved, so that a busy machine slows them alike; medians, and ratios to the chain with
Pillow and to the one with OpenCV's bilinear, whose pixels differ. Every other way gives the same numbers, which is
checked first. With more threads: pictures a second, and how many times those of one thread.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

from cnnkit.images import Preprocess, _pillow, decode, has_compiled_resize, preset
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Resize

Pixels = NDArray[np.uint8]
Way = Callable[[Pixels, NDArray[np.float32]], object]

SIZE = (224, 224)
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def photograph() -> Pixels:
    """Smooth shapes with noise on them: about what a photograph costs."""
    random = np.random.default_rng(0)
    shapes = cv2.resize(random.integers(0, 256, (12, 16, 3), np.uint8), (500, 375), interpolation=cv2.INTER_CUBIC)
    return np.clip(shapes + random.normal(0, 6, shapes.shape), 0, 255).astype(np.uint8)


def plain_chain(pixels: Pixels, out: NDArray[np.float32]) -> None:
    """Pillow and NumPy, as most people write it."""
    image = Image.fromarray(pixels).resize((341, 256), Image.Resampling.BILINEAR).crop((58, 16, 282, 240))
    values = np.asarray(image, np.float32) / np.float32(255)
    out[:] = ((values - MEAN) / STD).transpose(2, 0, 1)


def prepared_by(**resize: str) -> Preprocess:
    channels, (first, *others) = preset("imagenet", size=SIZE)
    first = Resize.model_validate({**first.model_dump(), **resize})
    return Preprocess(
        ModelSpec(
            input=ModelInput(size=SIZE, channels=channels),
            preprocess=(first, *others),
            output=ClassificationOutput(),
            classes=(ClassName(name="any"),),
        )
    )


def exact_by(way: Callable[..., Pixels]) -> Way:
    """The exact chain, its resize held to one of the two ways."""
    preprocess = prepared_by()

    def run(pixels: Pixels, out: NDArray[np.float32]) -> None:
        step = preprocess._plan(pixels.shape[:2]).steps[0]
        preprocess.values(way(pixels, step), out)

    return run


def ways() -> dict[str, Way]:
    chosen: dict[str, Way] = {"Pillow and NumPy": plain_chain, "exact, by Pillow": exact_by(_pillow.resize_with_pillow)}
    if has_compiled_resize():
        chosen["exact, compiled"] = exact_by(_pillow.resize_compiled)
    chosen["cnnkit as it runs"] = prepared_by()
    chosen["OpenCV's bilinear"] = prepared_by(implementation="opencv", filter="linear")
    return chosen


def check(chosen: dict[str, Way], pixels: Pixels) -> None:
    wanted = np.empty((3, *SIZE), np.float32)
    plain_chain(pixels, wanted)
    for name, way in chosen.items():
        made = np.empty_like(wanted)
        way(pixels, made)
        if name != "OpenCV's bilinear" and not np.array_equal(made, wanted):
            sys.exit(f"{name} gives other numbers")


def milliseconds(chosen: dict[str, Way], pixels: Pixels, rounds: int) -> dict[str, list[float]]:
    batch = np.empty((8, 3, *SIZE), np.float32)
    spent: dict[str, list[float]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for name, way in chosen.items():
            start = time.perf_counter()
            for out in batch:
                way(pixels, out)
            spent[name].append((time.perf_counter() - start) / len(batch) * 1e3)
    return spent


def pictures_a_second(way: Way, pixels: Pixels, threads: int, seconds: float = 1.0) -> float:
    """Each thread writes into its own buffer until the time is up."""
    end = time.perf_counter() + seconds

    def work() -> int:
        out, done = np.empty((3, *SIZE), np.float32), 0
        while time.perf_counter() < end:
            way(pixels, out)
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        return sum(future.result() for future in [pool.submit(work) for _ in range(threads)]) / seconds


def rows_of(spent: dict[str, list[float]], speeds: dict[str, list[float]]) -> list[list[str]]:
    medians = {name: statistics.median(times) for name, times in spent.items()}
    rows = []
    for name, median in medians.items():
        low, *_, high = statistics.quantiles(spent[name], n=10)
        ratios = median / medians["Pillow and NumPy"], median / medians["OpenCV's bilinear"]
        row = [name, f"{median:.3f}", f"{low:.3f} to {high:.3f}", *(f"{ratio:.2f}" for ratio in ratios)]
        rows.append([*row, *(f"{speed:.0f}" for speed in speeds[name])])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    add_write_option(parser)
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in the workers of a run
    pixels, chosen = photograph(), ways()
    check(chosen, pixels)
    milliseconds(chosen, pixels, 3)
    spent = milliseconds(chosen, pixels, options.rounds)
    speeds = {
        name: [pictures_a_second(way, pixels, count) for count in options.threads] for name, way in chosen.items()
    }
    columns = ["", "median, ms", "middle 80 %", "to Pillow", "to OpenCV"]
    columns += [f"pictures/s, {count} thread(s)" for count in options.threads]
    what = f"one photo of 500x375 to (3, 224, 224) on one core, {options.rounds} rounds in turn. {decoding(pixels)}"
    text = f"{measured_by('resize.py', what)}\n\n{as_table(columns, rows_of(spent, speeds))}"
    print(text)
    if options.write:
        write_section("Preparing a photo", text)


def decoding(pixels: Pixels) -> str:
    data = cv2.imencode(".jpg", pixels)[1].tobytes()
    times = []
    for _ in range(100):
        start = time.perf_counter()
        decode(data)
        times.append((time.perf_counter() - start) * 1e3)
    return f"Decoding its JPEG ({len(data) >> 10} KiB) costs {statistics.median(times):.2f} ms beside."


if __name__ == "__main__":
    main()
