"""The state of an unfinished run, beside the checkpoint that is to be."""

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from cnnkit import files
from cnnkit.errors import DataError

__all__ = ["drop_state", "read_state", "state_path", "write_state"]

FORMAT = "cnnkit.training"


def state_path(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".resume.pt")


def write_state(checkpoint: Path, identity: dict[str, str], state: dict[str, Any]) -> None:
    """`identity` is what must be equal when the run goes on."""
    with files.replace_atomically(state_path(checkpoint)) as temporary:
        torch.save({"format": FORMAT, "identity": identity, "state": state}, temporary)


def read_state(checkpoint: Path, identity: dict[str, str]) -> dict[str, Any] | None:
    """The state of a run that was broken off, None when there is none. DataError when it was another run."""
    path = state_path(checkpoint)
    if not path.exists():
        return None
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is no state of an unfinished training run. Remove it, or --overwrite to start anew.")
    facts = torch.load(path, map_location="cpu", weights_only=True)
    before = facts.get("identity", {})
    different = [
        f"{name} was {before.get(name)}, is {identity.get(name)}"
        for name in sorted({*before, *identity})
        if before.get(name) != identity.get(name)
    ]
    if facts.get("format") != FORMAT or different:
        raise DataError(
            f"{path} is the state of another run: {'; '.join(different)}. "
            "Give the same command to go on with it, or --overwrite to start anew."
        )
    state: dict[str, Any] = facts["state"]
    return state


def drop_state(checkpoint: Path) -> None:
    with suppress(FileNotFoundError):
        state_path(checkpoint).unlink()
