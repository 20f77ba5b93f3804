"""Documentation that cannot drift: the command reference is generated, every command is in the README."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnnkit.cli import COMMANDS
from cnnkit.cli import cnnkit as group

ROOT = Path(__file__).resolve().parents[1]


def test_cli_reference_is_what_the_commands_say() -> None:
    # in a process of its own: click remembers the help option of whoever asked first
    written = subprocess.run([sys.executable, "-m", "cnnkit.cli.reference"], capture_output=True, check=True).stdout
    assert (ROOT / "docs" / "cli.md").read_text() == written.decode(), "run `make docs`"


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_and_option_explains_itself(verb: str) -> None:
    command = group.get_command(None, verb)  # type: ignore[arg-type]
    assert command is not None
    assert command.help
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert getattr(parameter, "help", None), f"{verb} {parameter.opts[0]} has no help"


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_is_in_the_readme(verb: str) -> None:
    assert f"cnnkit {verb}" in (ROOT / "README.md").read_text()


def test_links_between_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_dependency_says_what_it_is_for() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    named = re.findall(
        r'^\s+"([A-Za-z0-9_-]+)', (ROOT / "pyproject.toml").read_text().split("[project.scripts]")[0], re.M
    )
    for name in named:
        assert f"`{name}`" in text, f"docs/dependencies.md does not say what {name} is for"
