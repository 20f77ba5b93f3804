"""How long a report takes and how large it is: by default 50,000 photos of 1,000 classes, as in ImageNet's validation.

    python benchmarks/report.py [--images 50000] [--classes 1000] [--keep FOLDER] [--write]

The scores are made up (a class is confused with its neighbours), the photos are noise, which JPEG packs badly.
Prints one JSON line: seconds for write_report, bytes of report.html and report.md.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

from cnnkit.metrics import wilson
from cnnkit.report import write_report
from cnnkit.results import Results, rows_schema

PHOTOS = 50
CURVE_POINTS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--keep", type=Path, help="Write the report here and leave it.")
    add_write_option(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = args.keep or Path(scratch) / "out"
        facts = measure(Path(scratch) / "photos", out, args.images, args.classes)
    print(json.dumps(facts))
    if args.write:
        what = f"report.html and report.md from stored results of {args.images:,} photos and {args.classes:,} classes."
        rows = [[f"{facts['seconds']:.1f}", f"{facts['html_bytes'] / 1e6:.1f}", f"{facts['md_bytes'] / 1e6:.2f}"]]
        table = as_table(["seconds", "report.html, MB", "report.md, MB"], rows)
        write_section("The report", f"{measured_by('report.py', what)}\n\n{table}")


def measure(photos: Path, out: Path, n: int, n_classes: int) -> dict[str, Any]:
    columns = outcomes(n, n_classes, np.random.default_rng(0))
    write_photos(photos, columns["key"])
    results = results_of(columns, n_classes)
    rows = pa.table(columns).cast(rows_schema("classification"))
    start = time.perf_counter()
    page = write_report(out, results, rows=rows, images_root=photos)
    seconds = time.perf_counter() - start
    sizes = {"html_bytes": page.stat().st_size, "md_bytes": (out / "report.md").stat().st_size}
    return {"images": n, "classes": n_classes, "seconds": round(seconds, 2), **sizes}


def outcomes(n: int, n_classes: int, random: np.random.Generator) -> dict[str, Any]:
    """Three answers in four are right; the wrong ones lie near the label, and the surer ones are more often right."""
    label = np.sort(random.integers(0, n_classes, n))
    confidence = random.beta(4, 1, n)
    right = random.random(n) < 0.3 + 0.6 * confidence
    away = random.geometric(0.3, n) * random.choice([-1, 1], n)
    predicted = np.where(right, label, (label + away) % n_classes)
    hit = predicted == label
    return {
        "key": [f"class_{at:04d}/image_{number:06d}.jpg" for number, at in enumerate(label)],
        "digest": pa.nulls(n, pa.binary(32)),
        "label": label,
        "predicted": predicted,
        "rank": np.where(hit, 1, 2),
        "p": np.where(hit, confidence, (1 - confidence) / 2),
        "confidence": confidence,
    }


def write_photos(folder: Path, keys: list[str]) -> None:
    """A few pictures under many names: hard links, so that the disk holds each once."""
    random, sources = np.random.default_rng(1), []
    folder.mkdir(parents=True)
    for at in range(PHOTOS):
        coarse = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        photo = cv2.resize(coarse, (500, 375), interpolation=cv2.INTER_CUBIC)
        sources.append(folder / f"photo_{at}.jpg")
        sources[-1].write_bytes(cv2.imencode(".jpg", photo)[1].tobytes())
    for at, key in enumerate(keys):
        path = folder / key
        path.parent.mkdir(exist_ok=True)
        os.link(sources[at % PHOTOS], path)


def results_of(columns: dict[str, Any], n_classes: int) -> Results:
    label, predicted = columns["label"], columns["predicted"]
    n, hits = len(label), int((label == predicted).sum())
    low, high = wilson(hits, n)
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (label, predicted), 1)
    classes = [{"name": f"a class of things, number {at}", "aliases": [f"n{at:08d}"]} for at in range(n_classes)]
    return Results.model_validate(
        {
            "task": "classification",
            "model": {"name": "synthetic", "sha256": "0" * 64, "spec_hash": "0" * 64},
            "run": {"path": None, "sha256": "0" * 64},
            "classes": classes,
            "data": {"root": "photos", "fingerprint": "0" * 64, "n": n, "n_classes": n_classes}
            | {"n_classes_scored": int((counts.sum(axis=1) > 0).sum())},
            "provider": {"name": "none"},
            "versions": {},
            "figures": {"top1_accuracy": {"value": hits / n, "low": low, "high": high, "n": n, "method": "wilson"}},
            "per_class": [class_figures(at, classes[at]["name"], counts) for at in range(n_classes)],
            "confusion": {
                "n_classes": n_classes,
                "cells": [(a, b, counts[a, b]) for a, b in np.argwhere(counts).tolist()],
            },
            "curves": {"pr": [curve(at) for at in range(n_classes)], "roc": [curve(at) for at in range(n_classes)]},
        }
    )


def class_figures(at: int, name: str, counts: np.ndarray) -> dict[str, Any]:
    n, answers, hits = int(counts[at].sum()), int(counts[:, at].sum()), int(counts[at, at])
    return {
        "name": name,
        "n": n,
        "n_predicted": answers,
        "precision": hits / max(answers, 1),
        "recall": hits / max(n, 1),
        "f1": 2 * hits / max(n + answers, 1),
        "ap": hits / max(n, 1),
        "roc_auc": 0.5 + hits / max(n, 1) / 2,
        "intervals": {"recall": wilson(hits, max(n, 1)), "precision": wilson(hits, max(answers, 1))},
    }


def curve(at: int) -> dict[str, Any]:
    random = np.random.default_rng(at)
    x = np.sort(random.random(CURVE_POINTS))
    return {"index": at, "x": x, "y": 1 - x**3 * random.random(), "threshold": 1 - x}


if __name__ == "__main__":
    main()
