"""Two photographs that every installation has."""

from importlib.util import find_spec
from pathlib import Path

from cnnkit.errors import DataError


def sample_photos() -> dict[str, bytes]:
    """scikit-learn's `china.jpg` and `flower.jpg`, 427x640 (height, width), as the bytes of their files."""
    found = find_spec("sklearn")  # where it lies: importing it takes a second
    if found is None or found.origin is None:
        raise DataError("scikit-learn is not installed, and its two photographs are needed. pip install scikit-learn")
    folder = Path(found.origin).parent / "datasets" / "images"
    return {name: (folder / name).read_bytes() for name in ("china.jpg", "flower.jpg")}
