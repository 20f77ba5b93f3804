"""docs/own-model.md is run as it stands: its files are written, its commands typed, its scripts executed."""

import re
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnnkit import results

PAGE = Path(__file__).resolve().parents[1] / "docs" / "own-model.md"
BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("net", "spec"):
        sys.modules.pop(name, None)


def test_the_page_is_true(project: Path, run_cnnkit: Callable) -> None:
    for kind, text in BLOCK.findall(PAGE.read_text()):
        if kind == "console":
            for line in text.splitlines():
                _, program, *arguments = shlex.split(line)
                assert program == "cnnkit"
                run_cnnkit(*arguments)
        else:
            name = text.partition("\n")[0].removeprefix("# ")
            (project / name).write_text(text)
            if name != "net.py":
                runpy.run_path(str(project / name))
    accuracy = results.read_results(project / "results" / "net").figures["top1_accuracy"].value
    assert accuracy is not None
    assert accuracy > 0.9
    for made in ("exported/net.onnx", "exported/from_python.onnx", "exported/net-int8.onnx", "results/net/report.html"):
        assert (project / made).exists(), made
