"""How long scoring a classifier takes with every interval, and its memory: by default 50,000 photos of 1,000 classes.

    python benchmarks/evaluation.py [--images 50000] [--classes 1000] [--repeat 3] [--keep FOLDER] [--write]

The scores are made up, the photos are noise. What is measured is `cnnkit eval RUN PHOTOS`, each time in a process of
its own: from the stored score vectors to results.json, and the same with the report. Prints one JSON line.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section
from report import write_photos

from cnnkit.predictions import ModelFacts, Plan, ProviderFacts, RunFolder
from cnnkit.records import Classification, Row, Sample
from cnnkit.spec import ModelSpec

SHARD = 1024
TOP = 5
ABOVE = 0.78  # how far the label's score lies above the largest of the others on average, and by how much that varies
SPREAD = 1.5
SHARPNESS = 2.2  # of the softmax


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="Write run, photos and results here and leave them.")
    add_write_option(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        write_run(folder / "run", folder / "photos", args.images, args.classes)
        without = [scored(folder, "--no-report") for _ in range(args.repeat)]
        whole = [scored(folder) for _ in range(args.repeat)]
        results = json.loads((folder / "out" / "results.json").read_bytes())
    rows = [[name, *medians(each)] for name, each in (("figures", without), ("figures and report", whole))]
    facts = {"images": args.images, "classes": args.classes, "top1": results["figures"]["top1_accuracy"]["value"]}
    print(json.dumps({**facts, "seconds": [row[1] for row in rows], "peak_gb": [row[3] for row in rows]}))
    if args.write:
        what = (
            f"`cnnkit eval` on the stored scores of {args.images:,} photos in {args.classes:,} classes, "
            f"{100 * facts['top1']:.1f} % right, all figures with intervals, 1,000 resamples; medians of {args.repeat} "
            f"processes, the interpreter's start included; load average of the last quarter of an hour "
            f"{os.getloadavg()[2]:.1f}, so other work took its share of the seconds where this is above 1."
        )
        table = as_table(["", "seconds", "processor seconds", "peak resident set, GB"], rows)
        write_section("Scoring a classifier", f"{measured_by('evaluation.py', what)}\n\n{table}")


def write_run(run: Path, photos: Path, n: int, n_classes: int) -> None:
    """A run of made-up answers, and class folders with its photos."""
    random = np.random.default_rng(0)
    labels = np.sort(random.integers(0, n_classes, n))
    keys = [f"class {label:04d}/{at:06d}.jpg" for at, label in enumerate(labels.tolist())]
    write_photos(photos, keys)
    with RunFolder.locked(run) as folder:
        plan = folder.begin_run(plan_of(n_classes), [sample(photos, key) for key in keys])
        for shard in folder.pending(plan):
            at = slice(shard.start, shard.stop)
            folder.write_part(plan, shard, rows_of(keys[at], made_up(labels[at], n_classes, random)))
        folder.finish(versions={})


def sample(photos: Path, key: str) -> Sample:
    found = (photos / key).stat()
    return Sample(key, photos / key, found.st_size, found.st_mtime_ns)


def plan_of(n_classes: int) -> Plan:
    spec = ModelSpec.model_validate(
        {
            "input": {"size": [224, 224]},
            "preprocess": [{"op": "resize", "size": [224, 224], "mode": "exact"}],
            "output": {"name": "logits"},
            "classes": [{"name": f"class {at:04d}"} for at in range(n_classes)],
        }
    )
    return Plan(
        cnnkit="0",
        model=ModelFacts(name="synthetic", sha256="0" * 64, size_bytes=0),
        spec=spec,
        spec_hash=spec.spec_hash,
        batch_size=1,
        provider=ProviderFacts(name="none"),
        shard_size=SHARD,
        topk=min(TOP, n_classes),
        n=0,
        inputs_sha256="",
    )


def made_up(labels: np.ndarray, n_classes: int, random: np.random.Generator) -> np.ndarray:
    """Probabilities (n, classes), float32: normal noise, the label's score near the largest of the others."""
    logits = random.standard_normal((len(labels), n_classes))
    at = np.arange(len(labels))
    logits[at, labels] = -np.inf
    logits[at, labels] = logits.max(axis=1) + random.normal(ABOVE, SPREAD, len(labels))
    powers = np.exp(SHARPNESS * (logits - logits.max(axis=1, keepdims=True)))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def rows_of(keys: list[str], scores: np.ndarray) -> list[Row]:
    top = np.argsort(-scores, axis=1, kind="stable")[:, :TOP].astype(np.int32)
    return [
        Row(key=key, width=500, height=375, prediction=Classification(each, ids))
        for key, each, ids in zip(keys, scores, top, strict=True)
    ]


def scored(folder: Path, *options: str) -> dict[str, Any]:
    """Wall and processor seconds, and the peak resident set in bytes, of one evaluation."""
    where = [str(folder / name) for name in ("run", "photos", "out")]
    command = [sys.executable, "-m", "cnnkit", "eval", *where[:2], "-o", where[2], *options]
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            said.seek(0)
            raise SystemExit(said.read().decode())
    return {"wall": seconds, "processor": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024}


def medians(found: list[dict[str, Any]]) -> list[str]:
    wall, processor, peak = (statistics.median(each[name] for each in found) for name in ("wall", "processor", "peak"))
    return [f"{wall:.1f}", f"{processor:.1f}", f"{peak / 1e9:.2f}"]


if __name__ == "__main__":
    main()
