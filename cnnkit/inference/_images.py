"""What a run is about: which images, and into which folder it goes unless one is named."""

import random
import re
from pathlib import Path

from cnnkit import data
from cnnkit.data import Listing

RUNS = Path("runs")


def list_images(images: Path, *, limit: int | None = None, seed: int = 0, all_files: bool = False) -> Listing:
    """The images of a folder in key order; with `limit` that many of them, drawn with `seed`."""
    listing = data.find_images(images, all_files=all_files)
    if limit is None or limit >= len(listing):
        return listing
    return listing.take(sorted(random.Random(seed).sample(range(len(listing)), limit)))


def default_output(model: Path, images: Path) -> Path:
    """`runs/MODEL-DATA`, from the names of both.

    >>> default_output(Path("exported/digits.onnx"), Path("photos/new ones/")).as_posix()
    'runs/digits-new_ones'
    """
    return RUNS / f"{_plain(model.stem)}-{_plain(images.resolve().stem if images.is_file() else images.resolve().name)}"


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "data"
