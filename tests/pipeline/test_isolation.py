"""Images that kill the process that reads them, in children that really die.

What dies is put there from outside: a `sitecustomize` on the children's path wraps one function of the package.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnkit import data
from cnnkit.errors import DataError, MachineError
from cnnkit.pipeline import IsolatedRows, Model, RowOptions, open_model
from cnnkit.pipeline._isolated import CHILD

WriteColour = Callable[..., Path]

DIE_ON_DECODE = """
import os, signal
from cnnkit.images import Preprocess
real = Preprocess.decode
def decode(self, data, **named):
    if data.endswith(b"KILL"):
        os.kill(os.getpid(), signal.SIGSEGV)
    return real(self, data, **named)
Preprocess.decode = decode
"""
DIE_ON_LARGE_BATCHES = """
import os
from cnnkit.pipeline._job import ImageJob
real = ImageJob.run
def run(self, buffer):
    if len(buffer) > 2:
        os._exit(7)
    return real(self, buffer)
ImageJob.run = run
"""
OUT_OF_MEMORY = """
from cnnkit.pipeline._job import ImageJob
def run(self, buffer):
    raise MemoryError("no more of it")
ImageJob.run = run
"""


@pytest.fixture
def photos(tmp_path: Path, write_colour: WriteColour) -> Path:
    root = tmp_path / "photos"
    for at in range(12):
        write_colour(root / f"{at:02d}.png", ("red", "lime", "blue")[at % 3])
    (root / "12.png").write_bytes(b"")
    return root


@pytest.fixture
def model(colours: Path) -> Model:
    return open_model(colours)


@pytest.fixture
def in_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put some lines into every Python that is started from here on."""

    def put(lines: str) -> None:
        folder = tmp_path / "path"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(lines)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))

    return put


def _isolated(model: Model, **options: Any) -> IsolatedRows:
    return IsolatedRows(model, 1, RowOptions(topk=3, **options))


def _facts(rows: list) -> list[tuple[object, ...]]:  # type: ignore[type-arg]
    return [(row.key, row.status, row.digest, row.prediction and row.prediction.scores.tobytes()) for row in rows]


def test_a_child_gives_the_rows_that_this_process_gives(model: Model, photos: Path) -> None:
    samples = data.find_images(photos)
    here = list(model.rows(samples, batch_size=4, topk=3))
    assert _facts(IsolatedRows(model, 2, RowOptions(topk=3)).rows(samples, batch_size=4)) == _facts(here)


def test_only_the_guilty_images_are_crashed(model: Model, photos: Path, in_children: Callable[[str], None]) -> None:
    for name in ("04.png", "05.png"):
        (photos / name).write_bytes((photos / name).read_bytes() + b"KILL")
    in_children(DIE_ON_DECODE)
    samples = data.find_images(photos)
    rows = _isolated(model).rows(samples, batch_size=3)
    crashed = {row.key: row.error for row in rows if row.status == "crashed"}
    assert crashed == dict.fromkeys(("04.png", "05.png"), "the process that read or ran it died (SIGSEGV)")
    here = list(model.rows(samples, batch_size=3, topk=3))
    assert [row.key for row in rows] == [row.key for row in here]
    innocent = [at for at, row in enumerate(rows) if row.status != "crashed"]
    assert _facts([rows[at] for at in innocent]) == _facts([here[at] for at in innocent])


@pytest.mark.slow
def test_a_batch_that_dies_without_a_guilty_image(
    model: Model, photos: Path, in_children: Callable[[str], None]
) -> None:
    in_children(DIE_ON_LARGE_BATCHES)
    with pytest.raises(MachineError) as caught:
        _isolated(model).rows(data.find_images(photos), batch_size=4)
    assert str(caught.value) == (
        "a batch of 4 images that begins with 00.png ends its process (exit code 7), none of them does so alone. "
        "Memory may be short: a smaller --batch-size needs less."
    )


@pytest.mark.slow
def test_errors_of_the_child_are_raised_here(model: Model, photos: Path, in_children: Callable[[str], None]) -> None:
    with pytest.raises(DataError, match=r"12\.png: the file is empty"):
        _isolated(model, on_error="fail").rows(data.find_images(photos), batch_size=4)
    in_children(OUT_OF_MEMORY)
    with pytest.raises(MemoryError, match="no more of it"):
        _isolated(model).rows(data.find_images(photos), batch_size=4)


def test_a_child_that_does_not_start(model: Model, photos: Path, in_children: Callable[[str], None]) -> None:
    in_children("import sys\nsys.stderr.write('no such thing')\nimport os\nos._exit(3)")
    with pytest.raises(MachineError, match=r"the child process did not start \(exit code 3\): no such thing"):
        _isolated(model).rows(data.find_images(photos), batch_size=4)


def test_a_child_ends_when_its_parent_does() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=60) != 0
