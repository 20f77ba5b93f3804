import hashlib
from pathlib import Path

import pytest

from cnnkit.files import replace_atomically, sha256_of, write_text


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "first")
    with pytest.raises(RuntimeError):
        _write_half(path)
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


def _write_half(path: Path) -> None:
    with replace_atomically(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError


def test_sha256(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert sha256_of(path) == hashlib.sha256(b"abc").hexdigest()
