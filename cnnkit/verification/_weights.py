"""Weights from a file into a module."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit.checkpoints import without_prefix
from cnnkit.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

State = Mapping[str, "Tensor"]

SHOWN = 4


def load_weights(module: "nn.Module", state: State, *, path: Path, what: str) -> None:
    """Put weights into a module, every one; a prefix that a wrapper left (`module.`) is taken off."""
    wanted = dict(module.state_dict())
    named = without_prefix(state, wanted)
    problems = _misfits(wanted, named)
    if problems:
        raise ModelError(f"{path}: its weights do not fit {what}: {'; '.join(problems)}.")
    module.load_state_dict({name: named[name] for name in wanted})


def _misfits(wanted: State, given: State) -> list[str]:
    missing = sorted(wanted.keys() - given.keys())
    left_over = sorted(given.keys() - wanted.keys())
    shapes = [
        f"{name} is {tuple(given[name].shape)} there and {tuple(wanted[name].shape)} here"
        for name in wanted
        if name in given and given[name].shape != wanted[name].shape
    ]
    problems = [f"it has no {_few(missing)}"] if missing else []
    problems += [f"nothing takes its {_few(left_over)}"] if left_over else []
    return problems + ([", ".join(shapes[:SHOWN])] if shapes else [])


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
