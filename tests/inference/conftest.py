"""A folder of coloured pictures, and what a run folder holds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit.predictions import open_run, rows_from_table
from cnnkit.records import Row

WriteColour = Callable[..., Path]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, write_colour: WriteColour) -> Path:
    """Forty pictures in two folders, an empty file and a text among them. Not to be changed by a test."""
    root = tmp_path_factory.mktemp("photos")
    for at in range(40):
        folder = "new" if at % 4 else "old/er"
        write_colour(root / folder / f"{at:02d}.png", ("red", "lime", "blue")[at % 3], size=(5 + at, 45 - at))
    (root / "new" / "empty.png").write_bytes(b"")
    (root / "notes.txt").write_text("not an image")
    return root


@pytest.fixture(scope="session")
def written() -> Callable[[Path], dict[str, bytes]]:
    """The files of a run that must be the same bytes whatever happened on the way."""

    def read(run: Path) -> dict[str, bytes]:
        files = [*sorted((run / "parts").iterdir()), *sorted(run.glob("predictions.*"))]
        return {path.name: path.read_bytes() for path in files}

    return read


@pytest.fixture(scope="session")
def rows_of() -> Callable[[Path], list[Row]]:
    """All rows of a run."""
    return lambda run: [row for batch in open_run(run).batches() for row in rows_from_table(batch)]


@pytest.fixture(scope="session")
def stop_after() -> Callable[[int], Callable[[int, int], None]]:
    """A progress that interrupts a run once so many images are done."""

    def stopping(images: int) -> Callable[[int, int], None]:
        def report(done: int, total: int) -> None:
            if done >= images:
                raise KeyboardInterrupt

        return report

    return stopping
