"""Two photographs that every installation has."""

from pathlib import Path


def sample_photos() -> dict[str, bytes]:
    """scikit-learn's `china.jpg` and `flower.jpg`, 427x640 (height, width), as the bytes of their files."""
    import sklearn.datasets

    folder = Path(sklearn.datasets.__file__).parent / "images"
    return {name: (folder / name).read_bytes() for name in ("china.jpg", "flower.jpg")}
