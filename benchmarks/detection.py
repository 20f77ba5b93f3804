"""How long scoring a results file takes, beside hotcoco's own load and evaluation of the same files.

    python benchmarks/detection.py [--images 5000] [--detections 500000] [--classes 80] [--repeat 3] [--write]

The boxes are made up: half of the detections lie near an object, half anywhere. Both sides run in a process of their
own, with the interpreter's start and all imports; the better of the repeats counts. Prints one JSON line.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

OBJECTS_AN_IMAGE = 7.3  # as in COCO's val2017
LIBRARY = """
import sys, hotcoco
ground = hotcoco.COCO(sys.argv[2])
evaluator = hotcoco.COCOeval(ground, ground.load_res(sys.argv[1]), "bbox")
evaluator.evaluate(); evaluator.accumulate(); evaluator.summarize()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--detections", type=int, default=500_000)
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="Write the two files here and leave them.")
    add_write_option(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        files = [str(path) for path in write_files(folder, args.images, args.detections, args.classes)]
        ours = best([sys.executable, "-m", "cnnkit", "eval", *files], args.repeat)
        library = best([sys.executable, "-c", LIBRARY, *files], args.repeat)
    times = {"eval_s": round(ours, 2), "hotcoco_s": round(library, 2), "ratio": round(ours / library, 2)}
    print(json.dumps({"images": args.images, "detections": args.detections, **times}))
    if args.write:
        what = (
            f"{args.detections:,} detections in {args.images:,} images, {args.classes} classes, from files to figures."
        )
        rows = [["`cnnkit eval`", times["eval_s"], times["ratio"]], ["hotcoco alone", times["hotcoco_s"], 1]]
        table = as_table(["", "seconds, best of the repeats", "ratio"], rows)
        write_section("Scoring detections", f"{measured_by('detection.py', what)}\n\n{table}")


def best(command: list[str], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def write_files(folder: Path, n_images: int, n: int, n_classes: int) -> tuple[Path, Path]:
    """Detections and ground truth, in COCO's form."""
    random = np.random.default_rng(0)
    m = round(OBJECTS_AN_IMAGE * n_images)
    objects = columns(random, m, n_images, n_classes)
    found = columns(random, n, n_images, n_classes)
    near = random.integers(0, m, n // 2)
    for name in ("image_id", "category_id"):
        found[name][: n // 2] = objects[name][near]
    found["bbox"][: n // 2] = objects["bbox"][near] * random.uniform(0.8, 1.2, (n // 2, 4))
    scores = np.round(random.beta(1, 4, n), 5)
    folder.mkdir(parents=True, exist_ok=True)
    truth = {
        "images": [{"id": at, "file_name": f"{at:06d}.jpg", "height": 480, "width": 640} for at in range(n_images)],
        "categories": [{"id": at, "name": f"class {at}"} for at in range(n_classes)],
        "annotations": records(objects, id=np.arange(1, m + 1), iscrowd=(random.random(m) < 0.01).astype(int)),
    }
    paths = folder / "detections.json", folder / "truth.json"
    for path, content in zip(paths, (records(found, score=scores), truth), strict=True):
        path.write_text(json.dumps(content))
    return paths


def columns(random: np.random.Generator, n: int, n_images: int, n_classes: int) -> dict[str, Any]:
    sides = random.lognormal(4, 0.9, (n, 2)).clip(4, 400)
    corners = random.uniform(0, 1, (n, 2)) * (np.array([640, 480]) - sides).clip(1)
    return {
        "image_id": random.integers(0, n_images, n),
        "category_id": random.integers(0, n_classes, n),
        "bbox": np.round(np.concatenate([corners, sides], axis=1), 2),
    }


def records(boxes: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    lists = {name: values.tolist() for name, values in {**boxes, **more}.items()}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


if __name__ == "__main__":
    main()
