"""What was typed as SOURCE, to a torch module and all that is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import models
from cnnkit.checkpoints import load_checkpoint
from cnnkit.errors import ModelError, UsageError
from cnnkit.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Source:
    """A module with what came along. `text` is what it was called; `data` the folder it was trained on, if known."""

    module: "nn.Module"
    name: str
    text: str
    spec: ModelSpec | None = None
    data: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def open_source(text: str) -> Source:
    """Open a checkpoint of `cnnkit train`."""
    path = Path(text)
    if not path.exists():
        raise UsageError(f"{text}: no such file. SOURCE is a checkpoint that `cnnkit train` wrote.")
    return _checkpoint(path)


def _checkpoint(path: Path) -> Source:
    saved = load_checkpoint(path)
    module = models.create(saved.architecture, len(saved.classes), **saved.arguments)
    try:
        module.load_state_dict(dict(saved.state_dict))
    except RuntimeError as error:
        raise ModelError(f"{path}: its weights do not fit {saved.architecture}: {error}") from error
    module.eval()
    facts = {"architecture": saved.architecture, "training": _brief(saved.training)}
    return Source(module, path.stem, str(path), spec=saved.spec, data=_recorded_data(path, saved.training), facts=facts)


def _recorded_data(checkpoint: Path, training: Mapping[str, Any]) -> Path | None:
    """The folder that the training record names: as it stands, or relative to the checkpoint."""
    root = dict(training.get("data") or {}).get("root")
    if not root:
        return None
    places = (Path(root), checkpoint.parent / root)
    return next((place for place in places if place.exists()), None)


def _brief(training: Mapping[str, Any]) -> dict[str, Any]:
    """How it was trained and on what; the epochs one by one stay in the checkpoint."""
    data = {key: value for key, value in dict(training.get("data") or {}).items() if key in ("root", "n", "n_val")}
    kept = {key: training[key] for key in ("recipe", "kept_epoch") if key in training}
    return {**kept, "data": data} if data else kept
