"""What holds the house together: light start, public names, small files, no trace of the workshop."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import cnnkit
from cnnkit.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "cnnkit").rglob("*.py"))
HEAVY = ["numpy", "cv2", "onnxruntime", "torch", "onnx", "scipy", "sklearn", "pyarrow"]

LIGHT_START = f"""
import sys
from click.testing import CliRunner
from cnnkit.cli import COMMANDS, cnnkit
for arguments in [["--help"], ["--version"], *[[verb, "--help"] for verb in COMMANDS]]:
    result = CliRunner().invoke(cnnkit, arguments)
    assert result.exit_code == 0, (arguments, result.output)
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    assert not loaded, f"{{arguments}} imports {{loaded}}"
"""


def test_help_of_every_command_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT_START], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_scoring_and_running_import_no_torch() -> None:
    code = "import sys, cnnkit.inference, cnnkit.evaluation; assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _packages() -> list[str]:
    found = pkgutil.walk_packages(cnnkit.__path__, prefix="cnnkit.")
    return [module.name for module in found if module.ispkg and module.name != "cnnkit.cli"]


@pytest.mark.parametrize("package", _packages())
def test_public_names_of_a_package_exist_and_are_listed(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__, key=_ruff_order), "keep __all__ in ruff's order"
    for name in module.__all__:
        assert hasattr(module, name), f"{package}.__all__ names {name}, which is not there"


def _ruff_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as ruff sorts `__all__`."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


def test_public_names_at_the_top_exist() -> None:
    for name in cnnkit.__all__:
        assert getattr(cnnkit, name) is not None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            length = (node.end_lineno or 0) - first.lineno + 1
            assert length <= 40, f"{path.name}: {node.name} has a body of {length} lines"


def test_every_command_has_a_module_of_its_own() -> None:
    for verb, home in COMMANDS.items():
        assert home == f"cnnkit.cli.{verb}:{verb}_command"
