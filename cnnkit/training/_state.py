"""The state of an unfinished run, beside the checkpoint that is to be."""

import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from cnnkit import files
from cnnkit.errors import DataError
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import DataRecord, versions

__all__ = ["Keeper", "drop_state", "identity_of", "state_path"]

FORMAT = "cnnkit.training"
SAVE_EVERY_S = 5.0  # the state of a quick epoch is not worth writing: it is trained again as fast


def state_path(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".resume.pt")


def identity_of(recipe: Recipe, data: DataRecord, *, device: str, threads: int) -> dict[str, str]:
    """What decides the weights: a run goes on only where all of it is as it was."""
    facts = {name: str(value) for name, value in recipe if value is not None}
    if recipe.weights is not None:
        facts["weights"] = files.sha256_of(recipe.weights)
    return {**facts, "device": device, "threads": str(threads), **versions(), "images": data.fingerprint}


class Keeper:
    """Keeps the state of one run; `identity` is what must be equal when it goes on."""

    def __init__(self, checkpoint: Path, identity: dict[str, str]) -> None:
        self._checkpoint, self._identity = checkpoint, identity
        self._saved = time.monotonic()

    def read(self) -> dict[str, Any] | None:
        return _read_state(self._checkpoint, self._identity)

    def offer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Write it, unless that was done just before."""
        if time.monotonic() - self._saved <= SAVE_EVERY_S:
            return
        with files.replace_atomically(state_path(self._checkpoint)) as temporary:
            torch.save({"format": FORMAT, "identity": self._identity, "state": state()}, temporary)
        self._saved = time.monotonic()


def _read_state(checkpoint: Path, identity: dict[str, str]) -> dict[str, Any] | None:
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
