"""What a detector's run holds, as arrays."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.boxes import xywh_from_xyxy
from cnnkit.data import DetectedBoxes, DetectionTruth
from cnnkit.predictions import Run


@dataclass(frozen=True)
class Answers:
    """A run's rows in key order; boxes of all images one after another, `image` is the place of their key."""

    keys: list[str]
    statuses: dict[str, str]
    digests: dict[str, bytes | None]
    sizes: dict[str, tuple[int, int]]
    image: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]

    def found(self, source: Path, truth: DetectionTruth) -> DetectedBoxes:
        """The boxes in the truth's images, xywh in float64."""
        places = {key: at for at, key in enumerate(truth.keys)}
        place = np.array([places.get(key, -1) for key in self.keys], dtype=np.int64)[self.image]
        kept = place >= 0
        return DetectedBoxes(
            source, place[kept], self.classes[kept], xywh_from_xyxy(self.boxes[kept]), self.scores[kept]
        )

    def fingerprint(self, keys: tuple[str, ...]) -> str:
        hashed = hashlib.sha256()
        for key in keys:
            digest = self.digests[key]
            hashed.update(f"{key}\t{digest.hex() if digest else '-'}\n".encode())
        return hashed.hexdigest()


def answers_of(run: Run) -> Answers:
    columns = ("key", "status", "digest", "width", "height", "boxes", "box_scores", "box_classes")
    keys: list[str] = []
    statuses, digests, sizes = {}, {}, {}
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in ("image", "boxes", "box_scores", "box_classes")}
    for batch in run.batches(columns):
        facts = (batch.column(name).to_pylist() for name in columns[:5])
        for key, status, digest, width, height in zip(*facts, strict=True):
            statuses[key], digests[key] = status, digest
            if width and height:
                sizes[key] = (height, width)
        counts = batch.column("box_scores").value_lengths().fill_null(0).to_numpy()
        parts["image"].append(np.repeat(np.arange(len(keys), len(keys) + len(counts)), counts))
        keys += batch.column("key").to_pylist()
        for name in ("boxes", "box_scores", "box_classes"):
            flat = batch.column(name).flatten()
            flat = flat.flatten() if name == "boxes" else flat
            parts[name].append(flat.to_numpy(zero_copy_only=False))
    joined = {name: np.concatenate([*each, np.zeros(0)]) for name, each in parts.items()}
    return Answers(
        keys,
        statuses,
        digests,
        sizes,
        joined["image"].astype(np.int64),
        joined["boxes"].astype(np.float64).reshape(-1, 4),
        joined["box_scores"].astype(np.float64),
        joined["box_classes"].astype(np.int64),
    )
