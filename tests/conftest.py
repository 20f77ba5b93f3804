"""What tests share: the folder of real models and images, and small things made on the spot."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnkit.cli import cnnkit


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real models, images and expected figures; tests that need them skip where they are not."""
    folder = Path(os.environ.get("CNNKIT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data at {folder}: set CNNKIT_SHARED to the folder that holds data/")
    return folder / "data"


class Command:
    """Runs the command line in this process; `cnnkit("infer", model, images)` returns click's result."""

    def __call__(self, *args: object, exit_code: int | None = 0) -> Result:
        result = CliRunner().invoke(cnnkit, [str(arg) for arg in args])
        if exit_code is not None:
            assert result.exit_code == exit_code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
        return result


@pytest.fixture
def run_cnnkit() -> Command:
    return Command()
