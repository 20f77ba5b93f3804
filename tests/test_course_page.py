"""docs/course.md: every module, test and command that it names is there."""

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest

from cnnkit import models
from cnnkit.cli import cnnkit as group

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "course.md").read_text()
ROWS = re.findall(r"^\| ([^|]+) \| `([^`]+)` \| `([^`]+)` \| `((?:cnnkit|from cnnkit[\w.]*) [^`]+)` \|$", PAGE, re.M)
TYPED = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()]
COMMANDS = sorted({row[3] for row in ROWS if row[3].startswith("cnnkit ")} | set(TYPED))
IMPORTS = sorted({row[3] for row in ROWS if row[3].startswith("from ")})


def test_the_tables_are_read_whole() -> None:
    tables = [line for line in PAGE.splitlines() if re.search(r"^\| .*`(cnnkit |from )", line)]
    assert len(ROWS) == len(tables) > 40


@pytest.mark.parametrize(("module", "test"), sorted({(row[1], row[2]) for row in ROWS}))
def test_module_and_test_are_there(module: str, test: str) -> None:
    assert (ROOT / module).is_file()
    assert "\ndef test_" in (ROOT / test).read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_can_be_typed(command: str) -> None:
    """It is parsed, not run: the verb and each of its options exist and take these values."""
    _, verb, *arguments = shlex.split(command)
    context = click.Context(group, info_name="cnnkit")
    found = group.get_command(context, verb)
    assert found is not None, f"there is no command {verb}"
    if isinstance(found, click.Group):
        inner = found.get_command(context, arguments.pop(0))
        assert inner is not None
        found = inner
    found.make_context(verb, arguments, parent=context)


@pytest.mark.parametrize("line", IMPORTS)
def test_what_is_imported_is_there(line: str) -> None:
    found = re.fullmatch(r"from (\S+) import (\w+)", line)
    assert found is not None
    assert callable(getattr(importlib.import_module(found[1]), found[2]))


def test_every_network_is_on_the_page() -> None:
    named = {path.removeprefix("cnnkit/models/").removesuffix(".py") for _, path, _, _ in ROWS}
    assert {network.module for network in models.NETWORKS.values()} <= named
