"""`package.module:name` -> the object, imported from the current folder too."""

import importlib
import inspect
import sys
import traceback
from pathlib import Path
from typing import Any

from cnnkit.errors import ModelError, UsageError


def import_object(text: str) -> Any:
    """Import what `package.module:name` names; `name` may be dotted.

    Raises UsageError when the text is none of that form, the module is not there or has no such name; ModelError when
    the module fails as it is imported.
    """
    module_name, colon, name = text.partition(":")
    if not colon or not module_name or not name:
        raise UsageError(f"{text!r}: package.module:name was expected, such as mynet.models:make.")
    found: Any = _module(module_name, text)
    for part in name.split("."):
        if not hasattr(found, part):
            public = [each for each in vars(found) if not each.startswith("_")] if hasattr(found, "__dict__") else []
            raise UsageError(f"{text!r}: {module_name} has no {part!r}; it has {', '.join(public[:20]) or 'nothing'}.")
        found = getattr(found, part)
    return found


def look_here_too() -> str:
    """Let modules be found in the current folder, too, and return its name."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    return here


def import_transform(text: str) -> Any:
    """Import a transform; a function without arguments is called and gives it."""
    found = import_object(text)
    if not inspect.isfunction(found) or inspect.signature(found).parameters:
        return found
    try:
        return found()
    except Exception as error:  # a function of the user's may raise anything
        raise ModelError(f"{text!r}: fails{place_of(error)}: {type(error).__name__}: {error}") from error


def place_of(error: BaseException) -> str:
    """Where in the user's code an exception arose, as words to put behind a verb; nothing where that is unknown."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" in {frames[-1].filename}, line {frames[-1].lineno}" if len(frames) > 1 else ""


def _module(name: str, text: str) -> Any:
    here = look_here_too()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(
                f"{text!r}: there is no module {error.name!r} in {here} or among the installed ones."
            ) from error
        raise ModelError(f"{text!r}: {name} needs {error.name!r}, which is not installed.") from error
    except Exception as error:  # a module of the user's may raise anything
        raise ModelError(f"{text!r}: {name} fails as it is imported: {type(error).__name__}: {error}") from error
