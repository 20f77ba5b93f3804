"""From a key back to its file."""

import os
import re
from pathlib import Path


def path_of_key(root: Path, key: str) -> Path | None:
    r"""Where the image of a key lies: `\xNN` in a key is a byte that is not UTF-8. None for a key that leads out."""
    base = root.parent if root.is_file() else root
    if Path(key).is_absolute() or ".." in Path(key).parts:
        return None
    if (base / key).exists() or "\\x" not in key:
        return base / key
    raw = re.sub(rb"\\x([89a-f][0-9a-f])", lambda found: bytes([int(found[1], 16)]), key.encode())
    return base / os.fsdecode(raw)
