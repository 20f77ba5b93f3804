"""The README's commands and its Python are run as they stand, on the digits they speak of."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit import data

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
COMMAND = re.compile(r"^\$ cnnkit (.+)$", re.MULTILINE)
EPOCHS = re.compile(r"epochs([ =])\d+")  # the text trains to the end, the test only looks whether the road is there


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_run(folder: Path, run_cnnkit: Callable) -> None:
    commands = COMMAND.findall(EPOCHS.sub(r"epochs\g<1>2", README))
    assert [line.split()[0] for line in commands] == ["data", "train", "export", "infer", "eval", "inspect"]
    for line in commands:
        run_cnnkit(*shlex.split(line))
    assert (folder / "results" / "digits" / "report.html").exists()
    assert (folder / "runs" / "digits" / "predictions.csv").exists()


def test_the_python_runs(folder: Path) -> None:
    data.write_digits(folder / "digits")
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    photo = next((folder / "digits" / "test" / "7").iterdir())
    (folder / "photo.jpg").write_bytes(photo.read_bytes())
    names: dict[str, object] = {}
    exec(EPOCHS.sub(r"epochs\g<1>2", block[1]), names)
    top = names["model"].predict("photo.jpg").top(5)  # type: ignore[attr-defined]
    assert len(top) == 5
    assert top[0][1] >= top[1][1]
