"""A word in a file of any size."""

from pathlib import Path

CHUNK = 1 << 24


def mentions(path: Path, word: bytes) -> bool:
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if word in tail + chunk:
                return True
            tail = chunk[-len(word) :]
    return False
