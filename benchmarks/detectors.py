"""What reading boxes costs, and a detector's throughput beside its limit.

    python benchmarks/detectors.py [MODEL IMAGES LABELS] [--preset yolox] [--decoder yolox] [--rounds 7] [--write]

First one picture's raw output to its boxes, on one core: made-up outputs of the usual sizes, in which some forty
objects are each seen by many cells. Then, where a detector is given, cnnkit on the photos beside the sum of what
decoding, letterboxing and running them cost on all cores with nothing else to do; the images are in memory on both
sides. Rounds are interleaved; medians are printed, and with --write put into docs/performance.md.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

from cnnkit import data, images, pipeline, postprocess, runtime
from cnnkit.pipeline import Given
from cnnkit.postprocess.yolox import grid_cells
from cnnkit.records import Geometry
from cnnkit.spec import ClassName, DetectionOutput, ModelInput, ModelSpec

SIDE, CLASSES, OBJECTS, CELLS_AN_OBJECT = 640, 80, 40, 12
REPEATS = 20  # decodings in a round, of which the median counts
CONFIDENCES = (0.25, 0.001)

Values = NDArray[np.float32]


def made_up(n: int) -> tuple[Values, Values]:
    """Boxes (n, 4) cxcywh and scores (n, C): faint everywhere, sure where an object is."""
    random = np.random.default_rng(0)
    boxes = np.concatenate([random.uniform(0, SIDE, (n, 2)), random.lognormal(4, 0.8, (n, 2)).clip(4, 500)], axis=1)
    scores = random.beta(0.3, 60, (n, CLASSES))
    for cells in random.permutation(n)[: OBJECTS * CELLS_AN_OBJECT].reshape(OBJECTS, -1):
        boxes[cells] = boxes[cells[0]] + np.tile(boxes[cells[0], 2:], 2) * random.uniform(-0.05, 0.05, (len(cells), 4))
        scores[cells, random.integers(CLASSES)] = random.uniform(0.1, 0.95, len(cells))
    return boxes.astype(np.float32), scores.astype(np.float32)


def ultralytics(n: int = 8400) -> Values:
    return np.ascontiguousarray(np.concatenate(made_up(n), axis=1).T)


def yolov5(n: int = 25_200) -> Values:
    boxes, scores = made_up(n)
    return np.concatenate([boxes, np.full((n, 1), 0.98, np.float32), scores], axis=1)


def yolox() -> Values:
    cells = grid_cells((SIDE, SIDE), (8, 16, 32))
    boxes, scores = made_up(len(cells))
    centres, sizes = boxes[:, :2] / cells[:, 2:] - cells[:, :2], np.log(boxes[:, 2:] / cells[:, 2:])
    return np.concatenate([centres, sizes, np.full((len(cells), 1), 0.98, np.float32), scores], axis=1)


FORMS: dict[str, Callable[[], Values]] = {"ultralytics": ultralytics, "yolox": yolox, "yolov5": yolov5}


def decoding(name: str, raw: Values, conf: float) -> Callable[[], int]:
    """Raw output of one picture to boxes in its pixels; gives their number."""
    spec = ModelSpec(
        task="detection",
        input=ModelInput(size=(SIDE, SIDE)),
        preprocess=(),
        output=DetectionOutput(name="out", decoder=name, conf=conf),
        classes=tuple(ClassName(name=str(at)) for at in range(CLASSES)),
    )
    decoder, geometry = postprocess.build_decoder(spec), [Geometry((480, 640), (SIDE, SIDE), offset=(80.0, 0.0))]
    outputs = {"out": raw[None]}
    return lambda: len(decoder(outputs, geometry)[0].scores)


def decoding_table(rounds: int) -> str:
    raws = {name: make() for name, make in FORMS.items()}
    ways = {(name, conf): decoding(name, raw, conf) for name, raw in raws.items() for conf in CONFIDENCES}
    found = {key: way() for key, way in ways.items()}
    times: dict[tuple[str, float], list[float]] = {key: [] for key in ways}
    for _ in range(rounds):
        for key, way in ways.items():
            times[key].append(statistics.median(time_ms(way) for _ in range(REPEATS)))
    rows = [
        [name, f"{' x '.join(map(str, raws[name].shape))}", conf, found[name, conf], f"{statistics.median(each):.2f}"]
        for (name, conf), each in times.items()
    ]
    return as_table(["decoder", "output", "from confidence", "boxes", "ms a picture"], rows)


def time_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def limit(model: pipeline.Model, contents: Sequence[bytes], batch: int) -> Callable[[], float]:
    """Images per second, were decoding, letterboxing and running all there is to do."""
    decoded = [images.decode(content) for content in contents]
    preprocess = images.Preprocess(model.spec)
    ready = np.stack([preprocess(image)[0] for image in decoded])
    cores = runtime.available_cores().count
    buffers = [np.empty_like(ready[:1]) for _ in range(cores)]
    name = model.spec.input.name
    batches = [ready[start : start + batch] for start in range(0, len(ready), batch)]

    def seconds(pool: ThreadPoolExecutor, work: Callable[[int], Any], count: int) -> float:
        began = time.perf_counter()
        list(pool.map(work, range(count)))
        return time.perf_counter() - began

    def run() -> float:
        with ThreadPoolExecutor(cores) as pool, images.opencv_on_one_thread():
            decode = seconds(pool, lambda at: images.decode(contents[at]), len(contents))
            own = [range(start, len(decoded), cores) for start in range(cores)]
            fit = seconds(pool, lambda at: [preprocess(decoded[i], buffers[at][0]) for i in own[at]], cores)
            execute = seconds(pool, lambda at: model.session.run({name: batches[at]}), len(batches))
        return len(contents) / (decode + fit + execute)

    return run


def cnnkit_rate(model: pipeline.Model, contents: Sequence[bytes], batch: int) -> float:
    given = [Given(str(at), content) for at, content in enumerate(contents)]
    began = time.perf_counter()
    batches = (given[start : start + batch] for start in range(0, len(given), batch))
    answered = sum(len(rows) for rows in model.run_batches(batches))
    return answered / (time.perf_counter() - began)


def throughput_table(model: pipeline.Model, contents: Sequence[bytes], rounds: int) -> str:
    batch, _ = model.batch_size()
    bound = limit(model, contents, batch)
    bound(), cnnkit_rate(model, contents, batch)
    rates: dict[str, list[float]] = {"cnnkit": [], "the limit": []}
    for _ in range(rounds):
        rates["cnnkit"].append(cnnkit_rate(model, contents, batch))
        rates["the limit"].append(bound())
    share = statistics.median(ours / most for ours, most in zip(*rates.values(), strict=True))
    rows = [
        [f"{name}", f"{statistics.median(each):.1f}", f"{share:.2f}" if name == "cnnkit" else "1"]
        for name, each in rates.items()
    ]
    return as_table([f"{model.name}, batches of {batch}", "images/s", "of the limit"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="MODEL IMAGES LABELS")
    parser.add_argument("--preset", default="yolox")
    parser.add_argument("--decoder", default="yolox")
    parser.add_argument("--rounds", type=int, default=7)
    add_write_option(parser)
    chosen = parser.parse_args()
    if len(chosen.files) not in (0, 3):
        parser.error("give MODEL, IMAGES and LABELS, or none of them")
    with images.opencv_on_one_thread():
        parts = [
            f"Boxes and suppression of one picture on one core, {CLASSES} classes, {OBJECTS} objects.",
            decoding_table(chosen.rounds),
        ]
    if chosen.files:
        path, folder, labels = chosen.files
        how = {"preset": chosen.preset, "decoder": chosen.decoder, "labels": labels}
        model = pipeline.open_model(path, device="cpu", threads=1, **how)
        contents = [sample.path.read_bytes() for sample in data.find_images(folder)]
        parts += [
            f"{len(contents)} photos in memory to boxes; the limit is decoding, letterboxing and running them on all "
            f"cores, one step after the other and nothing else.",
            throughput_table(model, contents, chosen.rounds),
        ]
    print("\n\n".join(parts))
    if chosen.write:
        head = measured_by("detectors.py", "reading boxes, and photos to boxes.")
        write_section("Detectors", "\n\n".join([head, *parts]))


if __name__ == "__main__":
    main()
